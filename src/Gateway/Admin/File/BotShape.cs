using static Gateway.Admin.File.FileShape;
using static Gateway.Admin.File.FileTexts;

namespace Gateway.Admin.File;

internal static class BotShape
{
    private static readonly RefusedNames RequestMembers = new(StringComparer.Ordinal, new Dictionary<string, string>
    {
        ["model"] = "the bot's own field 'model' says it",
        ["messages"] = "the caller sends the messages, and 'backstory' is the bot's own",
        ["stream"] = "the caller chooses whether the answer is streamed",
        ["stream_options"] = "the caller chooses how the answer is streamed",
        ["n"] = "a bot gives one answer",
        ["tools"] = "the gateway makes the list of tools",
        ["tool_choice"] = "it governs the caller's tools and comes with them",
        ["functions"] = "the gateway makes the list of tools",
        ["function_call"] = "it governs the caller's tools and comes with them",
    });

    private static readonly FileShape.Object ClientTool = new(
        new("type", new Text(OneOf: ["function"]), "What kind of tool it is.", Default: "function"),
        new("function", new FileShape.Object(
            new("name", new Text(MaxLength: 64, Pattern: "^[A-Za-z0-9_-]+$", Expected: "a tool's name: letters, digits, '_' and '-'"),
                "What the model calls it.", IsRequired: true),
            new("description", Prose, "Tells the model what it does and when to use it."),
            new("parameters", new Json(RefusedNames.None), "A JSON Schema of its arguments."),
            new("strict", YesNo, "Whether the arguments follow the schema exactly.")),
            "OpenAI's definition of a function.", IsRequired: true));

    private static readonly FileShape.Object Member = new(
        new("bot", BotId, "The other bot's id, in the same workspace.", IsRequired: true),
        new("description", Prose, "Tells the model when to ask it."),
        new("handoff", YesNo, "Whether its answer becomes the bot's answer, straight to the caller.", Default: "false"));

    private static readonly FileShape.Object UsedDataset = new(
        new("name", DatasetName, "The dataset's name.", IsRequired: true),
        new("mode", new Text(OneOf: ["tool", "always"]),
            "Searched when the model asks (tool), or with the last user message before it is asked (always).", Default: "tool"));

    /// <param name="limits">Those that workspaces and keys have too.</param>
    public static FileShape.Object Bot(IReadOnlyList<Field> limits) => new(
        new("id", BotId, "What callers ask for in bot/id=…. Its identity in the workspace.", IsRequired: true),
        new("name", Line, "What people read. The id by default."),
        new("description", Prose, "What the bot is for."),
        new("model", ExactModelName, "The name of the model that it speaks with.", IsRequired: true),
        new("backstory", new Text(MaxLength: 200_000, HasLines: true),
            "The system prompt. {date}, {time}, {bot.name} and {workspace} are filled in."),
        new("parameters", new Json(RequestMembers),
            "Request parameters that are sent with each model call, such as temperature."),
        new("lockedParameters", new List(ParameterName, UniqueBy: ""),
            "Those of the parameters that a caller cannot change."),
        new("datasets", new List(UsedDataset, UniqueBy: "name"), "What it can look up."),
        new("skillsets", new List(SkillsetName, UniqueBy: ""), "What it can do."),
        new("webSearch", YesNo, "Whether it searches the web.", Default: "false"),
        new("clientTools", new List(ClientTool), "Tools of the chat page."),
        new("team", new List(Member, UniqueBy: "bot"), "Other bots that it asks."),
        new("limits", new FileShape.Object([.. limits, .. Turn]), "Rates and budgets of all its callers together, and limits of one turn."),
        new("exposeSteps", YesNo, "Whether callers who ask for them see its steps.", Default: "false"),
        Manager);

    private static Field[] Turn =>
    [
        new("steps", new Number(1, 100, IsWhole: true), "Most model calls of a turn.", Default: Show(FileBot.DefaultTurn.Steps)),
        new("toolCalls", new Number(1, 1_000, IsWhole: true), "Most calls of its own tools in a turn.", Default: Show(FileBot.DefaultTurn.ToolCalls)),
        new("depth", new Number(1, 10, IsWhole: true), "Most levels of bots that ask bots; 1: it asks none.", Default: Show(FileBot.DefaultTurn.Depth)),
        new("seconds", new Number(1, 3_600, IsWhole: true), "Longest turn.", Default: Show(FileBot.DefaultTurn.Time.TotalSeconds)),
        new("turnBudget", new Money(), "Most money of a turn, its members' included. Absent: not limited."),
    ];
}
