"""CrewAI by crewai-tools. It shows no structured content and drops `isError`: the text has to say it all."""

import expect
from crewai_tools import MCPServerAdapter
from mcp import StdioServerParameters

server = StdioServerParameters(command=expect.SERVER, args=expect.ARGUMENTS, env=expect.ENVIRONMENT)
with MCPServerAdapter(server, connect_timeout=60) as found:
    tools = {tool.name: tool for tool in found}
    expect.listing(tools)

    def call(name, arguments):
        return str(tools[name].run(**arguments))

    expect.good_text(call(*expect.GOOD))
    expect.redacted(call(*expect.REDACTED))
    expect.denied(call(*expect.DENIED))
    # Its own check stops what the schema forbids, so ours is reached by a way round it.
    name, arguments = expect.BAD
    try:
        text = call(name, arguments)
    except Exception as error:  # whichever of its own it is
        text = str(error)
    expect.holds("bad arguments are explained", "text" in text, text)
    expect.refused(str(tools[name]._run(**arguments)))
