using System.ClientModel;
using System.Security.Cryptography;
using OpenAI;
using OpenAI.Audio;
using OpenAI.Embeddings;
using OpenAI.Images;
using OpenAI.Moderations;

namespace Gateway.Tests.Passthrough;

/// <summary>The <c>OpenAI</c> NuGet package's other clients, against the simulator.</summary>
public sealed class DotnetMediaTests(PassthroughSetup setup) : PassthroughTest(setup)
{
    private ApiKeyCredential Key => new(Setup.Key);

    private OpenAIClientOptions Options => new() { Endpoint = new Uri(Setup.Gateway.BaseUrl + "/v1") };

    [Fact]
    public async Task EmbeddingClient_gets_vectors_of_the_length_it_asked_for()
    {
        var client = new EmbeddingClient(PassthroughSetup.Demo, Key, Options);

        OpenAIEmbeddingCollection reply = await client.GenerateEmbeddingsAsync(
            ["one", "two"], new EmbeddingGenerationOptions { Dimensions = 8 }, Cancel);

        Assert.Equal([8, 8], reply.Select(e => e.ToFloats().Length));
        Assert.True(reply.Usage.InputTokenCount > 0);
    }

    [Fact]
    public async Task ModerationClient_classifies()
    {
        var client = new ModerationClient(PassthroughSetup.Demo, Key, Options);

        ModerationResult reply = await client.ClassifyTextAsync("Good morning.", Cancel);

        Assert.False(reply.Flagged);
    }

    [Fact]
    public async Task AudioClient_speaks_and_transcribes_every_byte()
    {
        var client = new AudioClient(PassthroughSetup.Demo, Key, Options);

        BinaryData speech = await client.GenerateSpeechAsync("Hello over there", GeneratedSpeechVoice.Alloy, cancellationToken: Cancel);
        using var sound = speech.ToStream();
        AudioTranscription heard = await client.TranscribeAudioAsync(sound, "speech.wav", cancellationToken: Cancel);

        Assert.StartsWith("RIFF", System.Text.Encoding.ASCII.GetString(speech.ToArray(), 0, 4), StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(speech.ToArray())), heard.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImageClient_draws_and_edits()
    {
        var client = new ImageClient(PassthroughSetup.Demo, Key, Options);

        GeneratedImage drawn = await client.GenerateImageAsync("a pixel", cancellationToken: Cancel);
        using var picture = drawn.ImageBytes.ToStream();
        GeneratedImage edited = await client.GenerateImageEditAsync(picture, "pixel.png", "greyer", cancellationToken: Cancel);

        Assert.NotEmpty(drawn.ImageBytes.ToArray());
        Assert.Contains(
            Convert.ToHexStringLower(SHA256.HashData(drawn.ImageBytes.ToArray())), edited.RevisedPrompt, StringComparison.Ordinal);
    }
}
