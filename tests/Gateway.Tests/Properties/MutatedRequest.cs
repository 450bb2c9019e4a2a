using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Gateway.Tests.Properties;

/// <summary>A request body made of good and bad parts.</summary>
/// <param name="Body">Bytes, of which at least a third are a valid request.</param>
/// <param name="Number">Tells the upstream's record of it from the others; carried in a member when the body is whole.</param>
internal sealed record MutatedRequest(byte[] Body, int Number)
{
    /// <summary>The member by which the upstream's record is found again.</summary>
    public const string NumberMember = "x_case";

    private static readonly string[] Texts =
        ["\"hi\"", "\"\"", "\"\\u0068\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\u0000\"", "\"ä😀\"", "\"a\\/b\\\\\"", "\"data: [DONE]\\n\\n\""];

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-0.0", "1", "2", "1e400", "123456789012345678901234567890", "0.1", "[]", "{}", "[[[[]]]]",
        "{\"a\":{\"b\":[1,null]}}", "{\"include_usage\":true}", "{\"include_usage\":false,\"x\":1}", "[\"a\",\"b\"]", "{\"type\":\"text\"}",
        .. Texts,
    ];

    private static readonly string[] GoodSelectors =
        ["\"model/name=plain\"", "\"model/id=plain\"", "\"model/name=named\"", "\"model/name=vendor%2Fwith/slashes\"", "\"m\\u006fdel\\/name=plain\""];

    private static readonly string[] BadSelectors =
    [
        "\"gpt-4o\"", "\"\"", "\"model/name=\"", "\"bot/id=\"", "\"bot/id=never\"", "\"model/name=never\"", "\"model/name=of-other\"",
        "\"conversation/1\"", "\"model/name=\\ud800\"", "\"MODEL/NAME=plain\"", "\"model/name=plain\\u0000\"", "null", "7", "[]", "{}", "true",
        "\"bot/id=helper\"", "\"bot/id=theirs\"", "\"" + new string('x', 5_000) + "\"",
    ];

    private static readonly string[] GoodMessages =
    [
        "{\"role\":\"user\",\"content\":\"hi\"}", "{ \"role\" : \"system\" ,\n\"content\" : \"\\u00e4\" }",
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,\"}}]}",
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]}", "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"1\"}",
        "{\"role\":\"odd\",\"content\":\"\\ud800\",\"x\":[]}", "{\"content\":\"hi\",\"role\":\"developer\",\"role\":\"user\"}",
    ];

    private static readonly string[] BadMessages =
        ["null", "7", "[]", "{}", "{\"role\":null}", "{\"role\":\"user\",\"content\":7}", "{\"content\":\"hi\"}", "{\"role\":[\"user\"]}"];

    /// <summary>Names that no check knows: every value of theirs is valid.</summary>
    private static readonly string[] FreeNames =
        ["top_k", "min_p", "\\u0061", "x y", "provider", "reasoning", "chat_template_kwargs", "", "модель", "x-very-long-name-of-a-member-that-is-longer-than-any-other-one-known"];

    private static readonly string[] CheckedNames =
    [
        "temperature", "top_p", "n", "max_tokens", "max_completion_tokens", "stop", "tools", "tool_choice", "response_format", "stream_options",
        "user", "seed", "logit_bias", "logprobs", "metadata", "parallel_tool_calls", "functions", "function_call", "model", "messages", "stream", "m\\u006fdel",
    ];

    private static readonly byte[][] Splinters =
        [[0xFF], [0xEF, 0xBB, 0xBF], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0], "{"u8.ToArray(), "]"u8.ToArray(), "\""u8.ToArray(), ","u8.ToArray(), "\\"u8.ToArray(), "//"u8.ToArray()];

    /// <param name="stream">Whether whole bodies ask for a stream.</param>
    public static Gen<MutatedRequest> Generator(bool stream)
    {
        var member =
            from name in Gen.Frequency((6, Gen.Elements(FreeNames)), (1, Gen.Elements(CheckedNames)))
            from value in Gen.Elements(Values)
            select $"\"{name}\":{value}";
        var messages = Gen.Frequency(
            (12, Gen.Elements(GoodMessages).NonEmptyListOf().Select(list => $"[{string.Join(',', list)}]")),
            (1, Gen.Elements(GoodMessages.Concat(BadMessages).ToArray()).ListOf().Select(list => $"[ {string.Join(" , ", list)}]")),
            (1, Gen.Elements(Values)));
        var whole =
            from model in Gen.Frequency((8, Gen.Elements(GoodSelectors)), (1, Gen.Elements(BadSelectors)))
            from list in messages
            from extra in member.ListOf()
            from order in Gen.Choose(0, 1_000)
            from gap in Gen.Elements("", "", " ", "\r\n\t")
            from number in Gen.Choose(1, int.MaxValue)
            select Assemble(model, list, [.. extra.Take(2)], order, gap, number, stream);

        return from request in whole
               from damage in Gen.Frequency((12, Gen.Constant(0)), (1, Gen.Constant(1)), (1, Gen.Constant(2)), (1, Gen.Constant(3)))
               from at in Gen.Choose(0, 1_000_000)
               from splinter in Gen.Elements(Splinters)
               select request with { Body = Damage(request.Body, damage, at % request.Body.Length, splinter) };
    }

    /// <summary>For messages of failures.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Body);

    private static MutatedRequest Assemble(
        string model, string messages, IReadOnlyList<string> extra, int order, string gap, int number, bool stream)
    {
        List<string> members = [$"\"model\":{gap}{model}", $"\"messages\":{messages}{gap}", $"\"{NumberMember}\":{number}", .. extra];
        if (stream)
        {
            members.Add($"\"stream\":{gap}true");
        }

        var first = order % members.Count;
        var turned = members.Skip(first).Concat(members.Take(first));
        return new MutatedRequest(Encoding.UTF8.GetBytes($"{gap}{{{gap}{string.Join($",{gap}", turned)}{gap}}}{gap}"), number);
    }

    private static byte[] Damage(byte[] body, int damage, int at, byte[] splinter) => damage switch
    {
        1 => body[..at],
        2 => [.. body[..at], .. splinter, .. body[at..]],
        3 => [.. body[..at], .. body[(at + 1)..]],
        _ => body,
    };
}
