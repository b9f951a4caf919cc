"""Semantic Kernel: a plugin with one process. It turns `isError` into an exception or a text."""

import asyncio

import expect
from semantic_kernel import Kernel
from semantic_kernel.connectors.mcp import MCPStdioPlugin


async def main():
    plugin = MCPStdioPlugin(
        name="mpp", command=expect.SERVER, args=expect.ARGUMENTS, env=expect.ENVIRONMENT, request_timeout=30
    )
    async with plugin:
        kernel = Kernel()
        functions = kernel.add_plugin(plugin).functions
        expect.listing(functions)

        async def call(name, arguments):
            result = await kernel.invoke(functions[name], **arguments)
            return "".join(str(item) for item in result.value)

        expect.good_text(await call(*expect.GOOD))
        expect.redacted(await call(*expect.REDACTED))
        expect.refused(await call(*expect.BAD))
        expect.denied(await call(*expect.DENIED))


asyncio.run(main())
