namespace Gateway.Data;

/// <summary>A credential that cannot be formatted, logged or serialized by accident; only <see cref="Reveal"/> gives it out.</summary>
/// <remarks>Not a record: a record's own ToString would print what it holds.</remarks>
internal sealed class Secret(string value)
{
    private readonly string _value = value;

    public string Reveal() => _value;

    public override string ToString() => "[secret]";

    public override bool Equals(object? obj) => obj is Secret other && other._value == _value;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_value);
}
