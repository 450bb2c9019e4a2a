using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Faults;

/// <summary>A request as a <see cref="FaultProvider"/> received it.</summary>
/// <param name="Question">The last user message, or the input.</param>
/// <param name="At">Since the provider was started.</param>
internal sealed record Asked(UpstreamRequest Request, string Question, TimeSpan At);

/// <summary>
/// A scripted upstream with a script for each model, of which each question is told the answers in order, so that fifty
/// requests at a time meet the same trouble each. The last answer repeats.
/// </summary>
internal sealed class FaultProvider : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, UpstreamAnswer[]> _scripts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Model, string Question), int> _turns = new();
    private readonly ConcurrentQueue<Asked> _asked = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly FakeUpstream _upstream;

    private FaultProvider(FakeUpstream upstream) => _upstream = upstream;

    public string BaseUrl => _upstream.BaseUrl;

    public static async Task<FaultProvider> StartAsync()
    {
        var provider = new FaultProvider(await FakeUpstream.StartAsync());
        provider._upstream.Answers(Answer.ByRequest(provider.Choose));
        return provider;
    }

    public void On(string model, params UpstreamAnswer[] answers) => _scripts[model] = answers;

    /// <summary>What was asked of this model, in order of arrival.</summary>
    public IReadOnlyList<Asked> Of(string model) => [.. _asked.Where(a => a.Request.Model == model)];

    /// <summary>Waits up to 15 s until so many requests for a model have come; answers with the last of them.</summary>
    public async Task<Asked> NthAsync(string model, int number, CancellationToken cancel)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(15); await Task.Delay(10, cancel))
        {
            if (Of(model) is { } seen && seen.Count >= number)
            {
                return seen[number - 1];
            }
        }

        throw new TimeoutException($"{model} was asked {Of(model).Count} times, not {number}.");
    }

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    private UpstreamAnswer Choose(UpstreamRequest request)
    {
        var question = QuestionOf(request.Json);
        _asked.Enqueue(new Asked(request, question, _clock.Elapsed));
        if (!_scripts.TryGetValue(request.Model, out var answers))
        {
            return Answer.Refusal(500, $"The test scripted no answer for {request.Model}.", code: "nothing_scripted");
        }

        var turn = _turns.AddOrUpdate((request.Model, question), 0, (_, last) => last + 1);
        return answers[Math.Min(turn, answers.Length - 1)];
    }

    private static string QuestionOf(JsonNode body) =>
        body["messages"]?.AsArray().LastOrDefault(m => (string?)m!["role"] == "user")?["content"]?.ToString()
        ?? (body["input"] ?? body["prompt"])?.ToString() ?? "";
}
