using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Tests.Simulator;

public sealed class OtherRoutesTests(SimulatorCalls simulator) : IClassFixture<SimulatorCalls>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Embeddings_of_texts_with_the_same_words_lie_close_together()
    {
        var (_, reply) = await simulator.PostAsync(
            "v1/embeddings",
            """{"model":"demo-embedding","input":["How do I return an order?","Returning orders","The moon is far away"],"dimensions":256}""");

        var vectors = reply["data"]!.AsArray().Select(d => d!["embedding"]!.AsArray().Select(x => (double)x!).ToArray()).ToList();
        Assert.All(vectors, v => Assert.Equal(256, v.Length));
        Assert.All(vectors, v => Assert.Equal(1, Dot(v, v), 4));
        Assert.True(Dot(vectors[0], vectors[1]) > 0.8);
        Assert.True(Dot(vectors[0], vectors[2]) < 0.4);
    }

    [Fact]
    public async Task Embeddings_in_base64_are_the_same_numbers_in_little_endian()
    {
        var (_, floats) = await simulator.PostAsync("v1/embeddings", """{"model":"e","input":"hello world"}""");
        var (_, base64) = await simulator.PostAsync("v1/embeddings", """{"model":"e","input":"hello world","encoding_format":"base64"}""");

        var expected = floats["data"]![0]!["embedding"]!.AsArray().Select(x => (float)x!).ToArray();
        var bytes = Convert.FromBase64String((string)base64["data"]![0]!["embedding"]!);
        var decoded = Enumerable.Range(0, bytes.Length / 4).Select(i => BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * 4)));
        Assert.Equal(384, expected.Length);
        Assert.Equal(expected, decoded);
    }

    [Theory]
    [InlineData("[1,2,3]", 1)]
    [InlineData("[[1,2],[3]]", 2)]
    public async Task Embeddings_take_token_numbers(string input, int count)
    {
        var (status, reply) = await simulator.PostAsync("v1/embeddings", $$"""{"model":"e","input":{{input}}}""");

        Assert.Equal(200, status);
        Assert.Equal(count, reply["data"]!.AsArray().Count);
        Assert.Equal(3, (int)reply["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task Models_are_listed_and_found_by_name()
    {
        var list = JsonNode.Parse(await simulator.Client.GetStringAsync("v1/models", Cancel))!;
        var one = JsonNode.Parse(await simulator.Client.GetStringAsync("v1/models/demo", Cancel))!;

        Assert.Contains("demo", list["data"]!.AsArray().Select(m => (string?)m!["id"]));
        Assert.Equal("demo", (string?)one["id"]);
    }

    [Fact]
    public async Task Moderation_flags_what_it_has_a_word_for()
    {
        var (_, reply) = await simulator.PostAsync("v1/moderations", """{"input":["I will kill you","Good morning"]}""");

        Assert.Equal([true, false], reply["results"]!.AsArray().Select(r => (bool)r!["flagged"]!));
        Assert.True((bool)reply["results"]![0]!["categories"]!["violence"]!);
    }

    [Fact]
    public async Task Generated_image_is_a_png()
    {
        var (_, reply) = await simulator.PostAsync("v1/images/generations", """{"model":"demo-image","prompt":"a cat","n":2}""");

        Assert.Equal(2, reply["data"]!.AsArray().Count);
        var image = Convert.FromBase64String((string)reply["data"]![0]!["b64_json"]!);
        Assert.Equal([0x89, 0x50, 0x4E, 0x47], image[..4]);
    }

    [Fact]
    public async Task Edited_image_and_transcription_say_what_came_in()
    {
        using var edit = Form("image", "cat.png");
        using var speech = Form("file", "talk.wav");

        using var edited = await simulator.Client.PostAsync("v1/images/edits", edit, Cancel);
        using var transcribed = await simulator.Client.PostAsync("v1/audio/transcriptions", speech, Cancel);

        Assert.Contains("cat.png, 3 bytes, sha256 ba7816bf", await edited.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        var body = JsonNode.Parse(await transcribed.Content.ReadAsStringAsync(Cancel))!;
        Assert.Contains("talk.wav, 3 bytes", (string)body["text"]!, StringComparison.Ordinal);
        Assert.True((int)body["usage"]!["total_tokens"]! > 0);
    }

    [Fact]
    public async Task Trouble_of_a_form_is_read_from_its_model()
    {
        using var form = Form("file", "talk.wav", "whisper!status=503");

        using var response = await simulator.Client.PostAsync("v1/audio/transcriptions", form, Cancel);

        Assert.Equal(503, (int)response.StatusCode);
    }

    [Fact]
    public async Task Speech_is_a_wav_of_the_length_that_its_header_says()
    {
        using var body = SimulatorCalls.Json("""{"model":"demo-audio","input":"hello world","voice":"alloy"}""");

        using var response = await simulator.Client.PostAsync("v1/audio/speech", body, Cancel);

        var wav = await response.Content.ReadAsByteArrayAsync(Cancel);
        Assert.Equal("RIFF", Encoding.ASCII.GetString(wav[..4]));
        Assert.Equal(wav.Length - 8, BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(4)));
        Assert.Equal("audio/wav", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Text_completion_answers_each_prompt()
    {
        var (_, reply) = await simulator.PostAsync("v1/completions", """{"model":"demo","prompt":["words:2","words:3"]}""");

        Assert.Equal(["w1 w2", "w1 w2 w3"], reply["choices"]!.AsArray().Select(c => (string?)c!["text"]));
        Assert.Equal(5, (int)reply["usage"]!["completion_tokens"]!);
    }

    private static MultipartFormDataContent Form(string field, string file, string model = "demo") => new()
    {
        { new StringContent("make it blue"), "prompt" },
        { new ByteArrayContent("abc"u8.ToArray()), field, file },
        { new StringContent(model), "model" },
    };

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
