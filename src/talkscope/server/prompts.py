"""The prompts: each a recipe whose text is filled with the arguments, as one message of the user."""

from __future__ import annotations

from collections.abc import Mapping

from mcp_types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

from talkscope import recipes


def listed() -> list[Prompt]:
    """Every prompt with its arguments, in their order."""
    return [
        Prompt(
            name=prompt.name,
            title=prompt.title,
            description=prompt.description,
            arguments=[
                PromptArgument(name=each.name, description=_described(each), required=each.required)
                for each in prompt.arguments
            ],
        )
        for prompt in recipes.prompts()
    ]


def filled(name: str, arguments: Mapping[str, str]) -> GetPromptResult:
    """The prompt with these arguments. Raises UsageError when there is no such prompt, or an argument is off."""
    prompt = recipes.prompt(name)
    text = TextContent(type="text", text=prompt.filled(arguments))
    return GetPromptResult(description=prompt.description, messages=[PromptMessage(role="user", content=text)])


def _described(argument: recipes.Argument) -> str:
    told = argument.default or argument.otherwise
    return f"{argument.meaning}, default {told}" if told else argument.meaning
