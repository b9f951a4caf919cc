// The part of QuickJS that the tool uses.
declare module "qjs:std" {
  interface File {
    puts(text: string): void;
    readAsString(): string;
  }
  const input: File;
  const output: File;
  export { input as in, output as out };
}
