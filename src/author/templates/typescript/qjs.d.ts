// What QuickJS brings.

declare const scriptArgs: string[];

declare module "qjs:std" {
  interface File {
    getline(): string | null;
    readAsString(): string;
    puts(text: string): void;
    flush(): void;
  }
  const input: File;
  export { input as in };
  export const out: File, err: File;
  export function exit(status: number): never;
}
