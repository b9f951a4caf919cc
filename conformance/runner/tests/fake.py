"""An adapter that answers in the way that its first argument names."""
import json, os, pathlib, sys, time

mode, arguments = sys.argv[1], sys.argv[2:]
HOSTILE = "<script>alert(1)</script> ]]> & \x1b[2J\x07 \u202e\u2028\ufffe \"'"


def expected(vectors, given):
    """What the case expects: read from its file, which an honest adapter does not open."""
    name = given.get("file") or given.get("package")
    expect = json.loads((vectors / name).with_suffix(".json").read_text())["expect"]
    if expect["verdict"] == "accept":
        return {"verdict": "accept", "answer": expect.get("answer", {})}
    return {"verdict": "refuse", "check": expect.get("check"), "code": expect["codes"][0]}


def lines(vectors, message):
    right = {"id": message["id"], **expected(vectors, message["input"])}
    accept, refuse = {"id": message["id"], "verdict": "accept"}, {"id": message["id"], "verdict": "refuse", "code": "x.y"}
    first = os.environ["TZ"] == "UTC"
    is_victim = right["verdict"] == "accept"
    if mode == "hang":
        time.sleep(60)
    if mode in ("crash", "crash-hostile") or mode == "crash-on-accepted" and is_victim:
        print(HOSTILE if mode == "crash-hostile" else "the last line", file=sys.stderr)
        sys.exit(3)
    return {
        "accept": [accept],
        "refuse": [refuse],
        "garbage": ["Loading..."],
        "array": [[]],
        "no-verdict": [{"id": message["id"], "verdict": "maybe"}],
        "twice": [right, right],
        "other-id": [{**right, "id": message["id"] + 1}],
        "text-id": [{**right, "id": str(message["id"])}],
        "long": ["x" * 16_000_001],
        "unstable-zone": [right if first else accept],
        "unstable-directory": [right if pathlib.Path("Cargo.toml").exists() else refuse],
        "unstable-language": [right if os.environ["LANG"].startswith("C") else refuse],
        "further": [{**right, "answer": {"language": os.environ["LANG"]}}],
        "skip": [{"id": message["id"], "skipped": "not yet"}],
        "hostile": [{**refuse, "code": HOSTILE}],
        "hostile-skip": [{"id": message["id"], "skipped": HOSTILE}],
    }.get(mode, [right])


def hello():
    name = HOSTILE if mode.startswith("hostile") else mode
    protocol = "mpp-conform/2" if mode == "other-protocol" else "mpp-conform/1"
    operations = ["key"] if mode == "one-operation" else ["verify", "key", "trust", "policy", "storage"]
    return {"type": "hello", "protocol": protocol, "name": name, "version": "1",
            "operations": operations, "features": []}


def write(line):
    print(line if isinstance(line, str) else json.dumps(line), flush=True)


if "--hello" in arguments:
    write(hello())
elif "--case" in arguments:
    case, vectors = arguments[arguments.index("--case") + 1], arguments[arguments.index("--vectors") + 1]
    for line in lines(pathlib.Path(vectors), json.loads(pathlib.Path(case).read_text())):
        write(line)
else:
    for line in sys.stdin:
        message = json.loads(line)
        if mode == "record":
            with open(arguments[0], "a") as record:
                record.write(line)
        if message["type"] == "hello":
            if mode == "crash-at-once":
                sys.exit("no library")
            vectors = pathlib.Path(message["vectors"])
            write(hello())
        elif message["type"] == "case":
            for answer in lines(vectors, message):
                write(answer)
        else:
            break
