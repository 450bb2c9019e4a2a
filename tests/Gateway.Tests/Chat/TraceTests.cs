using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Chat;

/// <summary>Exchanges in the dialects of real providers, from files; see <c>Traces/README.md</c>.</summary>
[Collection(ChatTestsShareOneGateway.Name)]
public sealed class TraceTests(ScriptedGateway setup) : ScriptedTest(setup)
{
    private static readonly string Folder = Repository.PathOf("tests", "Gateway.Tests", "Traces");

    public static TheoryData<string> All => [.. Directory.GetDirectories(Folder).Select(folder => Path.GetFileName(folder)).Order()];

    [Theory]
    [MemberData(nameof(All))]
    public async Task An_exchange_is_as_it_was_written_down(string trace)
    {
        // Arrange
        var isStream = File.Exists(Path.Combine(Folder, trace, "upstream.sse"));
        var suffix = isStream ? "sse" : "json";
        var answer = await BytesAsync(trace, $"upstream.{suffix}");
        Upstream.Answers(isStream ? Wire.Stream(answer, pieceBytes: 100) : Answer.Fixed(answer));

        // Act
        var reply = await Setup.ChatAsync(await BytesAsync(trace, "request.json"), Cancel);

        // Assert
        var expected = File.Exists(Path.Combine(Folder, trace, $"reply.{suffix}")) ? await BytesAsync(trace, $"reply.{suffix}") : answer;
        Assert.Equal(Encoding.UTF8.GetString(await BytesAsync(trace, "arrives.json")), Encoding.UTF8.GetString(Upstream.LastBody));
        Assert.Equal((200, Encoding.UTF8.GetString(expected), false), (reply.Status, reply.Text, reply.Broken));
    }

    private static Task<byte[]> BytesAsync(string trace, string file) => File.ReadAllBytesAsync(Path.Combine(Folder, trace, file), Cancel);
}
