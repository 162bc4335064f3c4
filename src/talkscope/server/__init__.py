"""The MCP server: Talkscope's questions as tools."""
