namespace ChatKit.Tests.Support;

/// <summary>A store in memory that counts its ids: <c>thr_1</c>, <c>msg_1</c>, <c>shcx_1</c>. Users are apart.</summary>
public class NumberedStore() : InMemoryStore<Caller>(caller => caller.User)
{
    private readonly Dictionary<string, int> _last = [];

    public override string GenerateThreadId(Caller context) => Next(base.GenerateThreadId(context));

    public override string GenerateItemId(ItemKind kind, ChatThread thread, Caller context) => Next(base.GenerateItemId(kind, thread, context));

    private string Next(string id)
    {
        var prefix = id[..id.IndexOf('_', StringComparison.Ordinal)];
        lock (_last)
        {
            _last[prefix] = _last.GetValueOrDefault(prefix) + 1;
            return $"{prefix}_{_last[prefix]}";
        }
    }
}
