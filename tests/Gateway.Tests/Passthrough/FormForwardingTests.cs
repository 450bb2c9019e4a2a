using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Passthrough;

/// <summary>Multipart bodies, byte for byte.</summary>
public sealed class FormForwardingTests(PassthroughSetup setup) : PassthroughTest(setup)
{
    private const string Path = "/v1/audio/transcriptions";

    private static readonly byte[] Sound = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 31 % 256))];

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Only_the_models_value_is_replaced_wherever_it_stands(bool isFirst, bool isChunked)
    {
        Upstream.Answers(Answer.Json("""{"text":"heard","usage":{"type":"tokens","input_tokens":3,"output_tokens":4}}"""));
        var sent = Form(isFirst, PassthroughSetup.Scripted);

        var reply = await Setup.PostFormAsync(Path + "?a=b", sent, "bound.ary", Cancel, isChunked);

        Assert.True(reply.Status == 200, reply.Text);
        var request = Assert.Single(Upstream.Requests);
        Assert.Equal(Form(isFirst, "real-name"), request.Body);
        Assert.Equal("multipart/form-data; boundary=bound.ary", request.Headers["Content-Type"]);
        Assert.Equal($"{request.Body.Length}", request.Headers["Content-Length"]);
        Assert.Equal(Path + "?a=b", request.Target);
        Assert.Equal("Bearer key-of-the-upstream", request.Headers["Authorization"]);
        Assert.Contains("tokens 3+4", await Setup.LogLineAsync(reply.Headers["x-request-id"], Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Preamble_epilogue_and_the_delimiters_padding_travel_too()
    {
        Upstream.Answers(Answer.Json("{}"));

        var reply = await Setup.PostFormAsync(
            Path, Bytes("before\r\n--b \t\r\ncontent-disposition:form-data; name=model\r\n\r\nmodel/name=scripted\r\n--b--\r\nafter"),
            "\"b\"", Cancel);

        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal(
            "before\r\n--b \t\r\ncontent-disposition:form-data; name=model\r\n\r\nreal-name\r\n--b--\r\nafter",
            Encoding.UTF8.GetString(Upstream.LastBody));
    }

    [Fact]
    public async Task Parts_that_a_model_does_not_take_are_left_out_and_named()
    {
        Upstream.Answers(Answer.Json("{}"));

        var reply = await Setup.PostFormAsync(
            Path, Parts(("user", "me"), ("timestamp", "1"), ("model", "model/name=dropping"), ("user", "you"), ("prompt", "p"), ("timestamp", "2")), "b", Cancel);

        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal(Parts(("model", "real-name"), ("prompt", "p")), Upstream.LastBody);
        Assert.Equal("user, timestamp", reply.Headers["x-gateway-dropped-params"]);
    }

    [Fact]
    public async Task A_delimiter_across_two_read_windows_is_found()
    {
        Upstream.Answers(Answer.Json("{}"));
        for (var length = 65_536 - 130; length < 65_536 - 40; length++)
        {
            var file = new string('-', length);

            var reply = await Setup.PostFormAsync(Path, Parts(("file", file), ("model", "model/name=scripted")), "b", Cancel);

            Assert.True(reply.Status == 200, reply.Text);
            Assert.Equal(Parts(("file", file), ("model", "real-name")), Upstream.LastBody);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_is_a_413(bool isChunked)
    {
        var body = Parts(("model", "model/name=scripted"), ("file", new string('x', PassthroughSetup.MaxUploadBytes)));

        var reply = await Setup.PostFormAsync(Path, body, "b", Cancel, isChunked);

        Assert.Equal((413, "request_too_large"), (reply.Status, Code(reply)));
        Assert.Empty(Upstream.Requests);
    }

    [Fact]
    public async Task A_length_over_the_limit_is_refused_before_the_body_is_sent()
    {
        using var socket = new System.Net.Sockets.TcpClient();
        var address = new Uri(Setup.Gateway.BaseUrl);
        await socket.ConnectAsync(address.Host, address.Port, Cancel);
        await using var stream = socket.GetStream();

        await stream.WriteAsync(Bytes(
            $"POST {Path} HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {Setup.Key}\r\n" +
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 400001\r\n\r\n"), Cancel);
        var answer = await new StreamReader(stream).ReadLineAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancel);

        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_left_in_the_spool()
    {
        Upstream.Answers(Answer.Json("{}"));

        await Setup.PostFormAsync(Path, Form(isFirst: true, PassthroughSetup.Scripted), "bound.ary", Cancel);
        await Setup.PostFormAsync(Path, "nonsense"u8.ToArray(), "b", Cancel);

        Assert.Empty(Directory.EnumerateFileSystemEntries(System.IO.Path.Combine(Setup.Gateway.DataDirectory, "spool")));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("--b\r\n")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nmodel/name=scripted")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nmodel/name=scripted\r\n--b\r\n")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nmodel/name=scripted\r\n--b--\r\n--b--")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nmodel/name=scripted--b--")]
    [InlineData("--b\nContent-Disposition: form-data; name=\"model\"\n\nmodel/name=scripted\n--b--\n")]
    [InlineData("--b\r\n\r\nmodel/name=scripted\r\n--b--")]
    [InlineData("--b\r\nContent-Type: text/plain\r\n\r\nmodel/name=scripted\r\n--b--")]
    [InlineData("--b\r\nContent-Disposition: form-data\r\n\r\nmodel/name=scripted\r\n--b--")]
    [InlineData("--b\r\nContent-Disposition: attachment; name=model\r\n\r\nmodel/name=scripted\r\n--b--")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=a; name=model\r\n\r\nmodel/name=scripted\r\n--b--")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=a; name*=utf-8''model\r\n\r\nmodel/name=scripted\r\n--b--")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=model\r\nContent-Disposition: form-data; name=a\r\n\r\nmodel/name=scripted\r\n--b--")]
    [InlineData("--b\r\nContent-Disposition: form-data;\r\n name=model\r\n\r\nmodel/name=scripted\r\n--b--")]
    [InlineData("--bc\r\nContent-Disposition: form-data; name=model\r\n\r\nmodel/name=scripted\r\n--bc--")]
    public async Task What_two_readers_could_understand_differently_is_refused(string body)
    {
        var reply = await Setup.PostFormAsync(Path, Bytes(body), "b", Cancel);

        Assert.Equal(400, reply.Status);
        Assert.Contains("multipart", reply.Text, StringComparison.Ordinal);
        Assert.Empty(Upstream.Requests);
    }

    [Fact]
    public async Task The_model_is_refused_for_the_same_reasons_as_in_JSON()
    {
        (byte[] Body, int Status, string Code)[] cases =
        [
            (Parts(("prompt", "p")), 400, "missing_required_parameter"),
            (Parts(("model", "whisper-1")), 400, "invalid_model_selector"),
            (Parts(("model", "bot/id=demo")), 400, "invalid_model_selector"),
            (Parts(("model", "model/name=nobody")), 404, "model_not_found"),
            (Parts(("model", "model/name=demo"), ("model", "model/name=demo")), 400, "duplicate_parameter"),
            (Parts(("model", "model/name=" + new string('x', 5_000))), 400, "invalid_value"),
            (Bytes("--b\r\nContent-Disposition: form-data; name=model; filename=m.txt\r\n\r\nmodel/name=demo\r\n--b--"), 400, "invalid_type"),
        ];
        foreach (var (body, status, code) in cases)
        {
            var reply = await Setup.PostFormAsync(Path, body, "b", Cancel);

            Assert.Equal((status, code), (reply.Status, Code(reply)));
        }

        Assert.Empty(Upstream.Requests);
    }

    [Fact]
    public async Task A_form_without_a_boundary_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new ByteArrayContent("--b--"u8.ToArray()) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data");

        var reply = await RawReply.ReadAsync(Client, request, Cancel);

        Assert.Equal(400, reply.Status);
        Assert.Contains("boundary", reply.Text, StringComparison.Ordinal);
    }

    private static byte[] Form(bool isFirst, string model)
    {
        var modelPart = Bytes($"--bound.ary\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n");
        byte[] filePart =
        [
            .. Bytes("--bound.ary\r\nContent-Type: audio/wav\r\nContent-Disposition: form-data; name=\"file\"; filename=\"tön.wav\"\r\n\r\n"),
            .. Sound,
            .. Bytes("\r\n"),
        ];
        return isFirst
            ? [.. modelPart, .. filePart, .. Bytes("--bound.ary--\r\n")]
            : [.. filePart, .. modelPart, .. Bytes("--bound.ary--\r\n")];
    }

    private static byte[] Parts(params (string Name, string Value)[] parts) => Bytes(
        string.Concat(parts.Select(p => $"--b\r\nContent-Disposition: form-data; name=\"{p.Name}\"\r\n\r\n{p.Value}\r\n")) + "--b--\r\n");

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
