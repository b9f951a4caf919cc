/* A command line program: @NAME@ NAME <MESSAGE */

const words = process.argv;
if (words.length != 2 || words[1].trim() == "") {
  process.stderr.write("@NAME@: whom shall I greet?\n");
  process.exit(2);
}
process.stdout.write("Hello, " + words[1] + "!\n");
const block = new ArrayBuffer(65536);
let message = "";
for (let got = process.stdin.read(block); got > 0; got = process.stdin.read(block)) {
  message += String.UTF8.decodeUnsafe(changetype<usize>(block), got);
}
process.stdout.write(message);
