using System.Text.Json.Nodes;

namespace Gateway.Tests.Support;

/// <summary>
/// The deltas of one choice, in order. What clients concatenate (role, call ids, names) must come exactly once, or they
/// end up with "assistantassistant".
/// </summary>
internal sealed class ChoiceTranscript
{
    private readonly List<string> _calls = [];
    private bool _started;
    private bool _calledFunction;
    private string? _finish;

    public void Add(JsonObject choice)
    {
        Assert.True(_finish is null, $"A delta follows the finish_reason: {choice.ToJsonString()}");
        var delta = choice["delta"]!.AsObject();
        Assert.True(delta.ContainsKey("role") == !_started, $"The role belongs into the first delta, once: {choice.ToJsonString()}");
        _started = true;

        foreach (var call in delta["tool_calls"]?.AsArray() ?? [])
        {
            AddCall(call!.AsObject());
        }

        if (delta["function_call"] is JsonObject function)
        {
            Assert.True(function.ContainsKey("name") == !_calledFunction, $"A function's name comes once: {choice.ToJsonString()}");
            _calledFunction = true;
        }

        _finish = choice["finish_reason"]?.GetValue<string>();
    }

    public void AssertFinished()
    {
        Assert.True(_finish is not null, "A choice has no finish_reason.");
        Assert.True(_finish != "tool_calls" || _calls.Count > 0, "finish_reason tool_calls without a call.");
        Assert.True(_finish != "function_call" || _calledFunction, "finish_reason function_call without a call.");
    }

    private void AddCall(JsonObject call)
    {
        var index = call["index"]!.GetValue<int>();
        Assert.InRange(index, 0, _calls.Count);
        var isNew = index == _calls.Count;
        Assert.True(call.ContainsKey("id") == isNew, $"A call's id comes once: {call.ToJsonString()}");
        Assert.True(call["function"]!.AsObject().ContainsKey("name") == isNew, $"A call's name comes once: {call.ToJsonString()}");
        if (isNew)
        {
            var id = call["id"]!.GetValue<string>();
            Assert.DoesNotContain(id, _calls);
            _calls.Add(id);
        }
    }
}
