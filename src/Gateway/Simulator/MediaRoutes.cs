using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Simulator;

/// <summary>Images and audio: small valid files out, and for files in, a report of what was seen.</summary>
internal static class MediaRoutes
{
    private const int SampleRate = 8000;
    private const int MaxSpokenWords = 500;

    /// <summary>One grey pixel.</summary>
    private const string Png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

    public static async Task GenerateImageAsync(Exchange exchange)
    {
        using var body = await RequestBody.ReadAsync(exchange.Http.Request, exchange.Gone);
        var root = body.ParseObject();
        var model = SimulatorRequest.CheckModel(root.Text("model") ?? "demo-image");
        var prompt = root.RequiredText("prompt");
        var count = root.Whole("n", 1, 10) ?? 1;
        var isUrl = root.Text("response_format") == "url";
        var trouble = await exchange.EnterAsync(Trouble.Read(model, prompt, out var wish), $"{model}\n{prompt}", root);
        await exchange.SendAsync(Images(exchange.Now, wish, count, isUrl), "application/json", trouble);
    }

    /// <summary>
    /// Image edits and variations: the picture is always the same, <c>revised_prompt</c> says what came in.
    /// </summary>
    public static async Task EditImageAsync(Exchange exchange)
    {
        var form = await ReadFormAsync(exchange);
        var trouble = await EnterFormAsync(exchange, form, "demo-image");
        var seen = $"{form["prompt"]} [{string.Join("; ", form.Files.Select(Describe))}]";
        if (form.Files.Count == 0)
        {
            throw RefusalException.Missing("image");
        }

        await exchange.SendAsync(Images(exchange.Now, seen.Trim(), count: 1, isUrl: false), "application/json", trouble);
    }

    public static async Task SpeakAsync(Exchange exchange)
    {
        using var body = await RequestBody.ReadAsync(exchange.Http.Request, exchange.Gone);
        var root = body.ParseObject();
        var model = SimulatorRequest.ReadModel(root);
        var input = root.RequiredText("input");
        var trouble = await exchange.EnterAsync(Trouble.Read(model, input, out var said), $"{model}\n{input}", root);
        await exchange.SendAsync(Wav(said), "audio/wav", trouble);
    }

    public static async Task TranscribeAsync(Exchange exchange)
    {
        var form = await ReadFormAsync(exchange);
        var trouble = await EnterFormAsync(exchange, form, "demo-audio");
        var file = form.Files.GetFile("file") ?? throw RefusalException.Missing("file");
        var text = "Simulated transcription of " + Describe(file);
        if (form["response_format"] == "text")
        {
            await exchange.SendAsync(Encoding.UTF8.GetBytes(text + "\n"), "text/plain; charset=utf-8", trouble);
            return;
        }

        var json = JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("text", text);
            json.WriteStartObject("usage");
            json.WriteString("type", "tokens");
            json.WriteNumber("input_tokens", 10);
            json.WriteNumber("output_tokens", Words.Count(text));
            json.WriteNumber("total_tokens", 10 + Words.Count(text));
            json.WriteEndObject();
            json.WriteEndObject();
        });
        await exchange.SendAsync(json, "application/json", trouble);
    }

    private static async Task<IFormCollection> ReadFormAsync(Exchange exchange)
    {
        if (!exchange.Http.Request.HasFormContentType)
        {
            throw RefusalException.Invalid(null, "Expected a body of type multipart/form-data.", null);
        }

        try
        {
            return await exchange.Http.Request.ReadFormAsync(exchange.Gone);
        }
        // A body that ends in the middle of a part is an IOException here.
        catch (Exception e) when (e is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw RefusalException.Invalid(null, $"The form could not be read: {e.Message}", null);
        }
    }

    private static Task<Trouble> EnterFormAsync(Exchange exchange, IFormCollection form, string defaultModel)
    {
        var model = SimulatorRequest.CheckModel(form.TryGetValue("model", out var named)
            ? named.ToString()
            : defaultModel);
        return exchange.EnterAsync(Trouble.Read(model, null, out _), $"{model}\n{exchange.Http.Request.Path}", null);
    }

    /// <summary>Name, size and digest, by which a test sees that every byte came through.</summary>
    private static string Describe(IFormFile file)
    {
        using var content = file.OpenReadStream();
        var digest = Convert.ToHexStringLower(SHA256.HashData(content));
        return string.Create(CultureInfo.InvariantCulture, $"{file.FileName}, {file.Length} bytes, sha256 {digest}");
    }

    private static byte[] Images(long created, string prompt, int count, bool isUrl) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("created", created);
        json.WriteStartArray("data");
        for (var i = 0; i < count; i++)
        {
            json.WriteStartObject();
            json.WriteString(isUrl ? "url" : "b64_json", isUrl ? "data:image/png;base64," + Png : Png);
            json.WriteString("revised_prompt", "A grey pixel, simulated: " + prompt);
            json.WriteEndObject();
        }

        var tokens = Words.Count(prompt);
        json.WriteEndArray();
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", tokens);
        json.WriteNumber("output_tokens", count);
        json.WriteNumber("total_tokens", tokens + count);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>
    /// A tone for each word, higher the longer it is: 8 kHz, 16 bits, mono, a tenth of a second a word.
    /// </summary>
    private static byte[] Wav(string text)
    {
        const int HeaderBytes = 44;
        const int SamplesPerWord = SampleRate / 10;
        var words = Words.Split(text).Take(MaxSpokenWords).ToList();
        var dataBytes = words.Count * SamplesPerWord * sizeof(short);
        var wav = new byte[HeaderBytes + dataBytes];
        "RIFF"u8.CopyTo(wav);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(4), HeaderBytes - 8 + dataBytes);
        "WAVEfmt "u8.CopyTo(wav.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(24), SampleRate);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(28), SampleRate * sizeof(short));
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(32), sizeof(short));
        BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(34), 8 * sizeof(short));
        "data"u8.CopyTo(wav.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(40), dataBytes);
        for (var i = 0; i < words.Count * SamplesPerWord; i++)
        {
            var hertz = 200 + (40 * words[i / SamplesPerWord].Length);
            var isUp = i * 2L * hertz / SampleRate % 2 == 0;
            BinaryPrimitives.WriteInt16LittleEndian(wav.AsSpan(HeaderBytes + (i * sizeof(short))), (short)(isUp
                ? 4000
                : -4000));
        }

        return wav;
    }
}
