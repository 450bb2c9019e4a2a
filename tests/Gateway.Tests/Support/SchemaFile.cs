using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace Gateway.Tests.Support;

/// <summary>
/// Validates JSON against the definitions of one schema file (draft 2020-12) with ajv in one Node child, started by the
/// first test that asks. Without Node those tests fail. Thread-safe.
/// </summary>
/// <param name="fileName">A file of <c>tests/Contracts</c>.</param>
public abstract class SchemaFile(string fileName) : IAsyncLifetime
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _gate = new(1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<string[]>> _waiting = new();
    private ChildProcess? _node;
    private int _lastId;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>What is wrong with a JSON text, by path; empty when it is valid.</summary>
    /// <param name="definition">A name below <c>$defs</c>, for instance <c>CreateChatCompletionResponse</c>.</param>
    public async Task<IReadOnlyList<string>> ValidateAsync(string definition, ReadOnlyMemory<byte> utf8Json, CancellationToken cancel)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<string[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        var line = JsonSerializer.Serialize(new { id, definition, text = Encoding.UTF8.GetString(utf8Json.Span) });

        await _gate.WaitAsync(cancel);
        try
        {
            var node = await StartedAsync(cancel);
            await node.Input.WriteLineAsync(line);
            await node.Input.FlushAsync(cancel);
        }
        finally
        {
            _gate.Release();
        }

        try
        {
            return await answer.Task.WaitAsync(AnswerLimit, cancel);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The schema validator did not answer.\n{_node!.LastWords}");
        }
    }

    /// <summary>Fails the test with the errors and the JSON when it does not follow the schema.</summary>
    public async Task AssertValidAsync(string definition, ReadOnlyMemory<byte> utf8Json, CancellationToken cancel)
    {
        var errors = await ValidateAsync(definition, utf8Json, cancel);
        if (errors.Count > 0)
        {
            Assert.Fail($"Not a valid {definition}:\n{string.Join('\n', errors)}\n{Encoding.UTF8.GetString(utf8Json.Span)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_node is not null)
        {
            _node.Input.Close();
            await _node.WaitAsync(TimeSpan.FromSeconds(5));
            await _node.DisposeAsync();
        }

        _gate.Dispose();
    }

    private async Task<ChildProcess> StartedAsync(CancellationToken cancel)
    {
        if (_node is null)
        {
            await Node.EnsureReadyAsync(cancel);
            var schemas = Repository.PathOf("tests", "Contracts", fileName);
            _node = ChildProcess.Start("node", ["validator.mjs", schemas], workingDirectory: Node.Folder, onLine: Receive);
        }

        return _node.HasExited
            ? throw new InvalidOperationException($"The schema validator has ended.\n{_node.LastWords}")
            : _node;
    }

    private void Receive(string line)
    {
        using var answer = JsonDocument.Parse(line);
        if (_waiting.TryRemove(answer.RootElement.GetProperty("id").GetInt32(), out var waiting))
        {
            waiting.TrySetResult([.. answer.RootElement.GetProperty("errors").EnumerateArray().Select(e => e.GetString()!)]);
        }
    }
}
