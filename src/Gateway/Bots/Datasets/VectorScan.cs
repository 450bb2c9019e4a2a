using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// The vectors of one dataset in memory, each number in a byte, to be compared with a question one by one. Immutable. What
/// comes first is to be compared again with the whole vectors.
/// </summary>
internal sealed class VectorScan
{
    private readonly Guid[] _ids;
    private readonly sbyte[] _values;
    private readonly float[] _scales;
    private readonly int _dimensions;

    private VectorScan(Guid[] ids, sbyte[] values, float[] scales, int dimensions) =>
        (_ids, _values, _scales, _dimensions) = (ids, values, scales, dimensions);

    public int Count => _ids.Length;

    public long Bytes => _values.LongLength + (_ids.LongLength * 20) + 200;

    public static VectorScan Of(IReadOnlyList<(Guid Id, float[] Vector)> vectors, int dimensions)
    {
        var builder = new Builder(dimensions);
        foreach (var (id, vector) in vectors)
        {
            builder.Add(id, vector);
        }

        return builder.Build();
    }

    /// <summary>Reads a dataset's vectors of one model; those of other dimensions are left out.</summary>
    public static async Task<VectorScan> ReadAsync(
        NpgsqlDataSource source, DatasetScope scope, string model, int dimensions, int most, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var command = scope.Command(
            connection,
            $"SELECT id, vector FROM chunks WHERE workspace_id = @ws AND dataset_id = @ds AND vector_model = @model AND vector IS NOT NULL LIMIT {most}");
        command.Parameters.AddWithValue("model", model);
        command.CommandTimeout = 60;
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var builder = new Builder(dimensions);
        while (await rows.ReadAsync(cancel))
        {
            var vector = VectorBytes.FromHalves(rows.GetFieldValue<byte[]>(1));
            if (vector.Length == dimensions)
            {
                builder.Add(rows.GetGuid(0), vector);
            }
        }

        return builder.Build();
    }

    /// <summary>The ids of the most similar, best first, roughly.</summary>
    /// <param name="among">Only these; null: all.</param>
    public List<Guid> Find(ReadOnlySpan<float> query, int most, HashSet<Guid>? among)
    {
        var asked = new sbyte[_dimensions];
        Quantize(query, asked);
        var best = new PriorityQueue<int, float>(most + 1);
        for (var i = 0; i < _ids.Length; i++)
        {
            if (among?.Contains(_ids[i]) == false)
            {
                continue;
            }

            var score = Dot(asked, _values.AsSpan(i * _dimensions, _dimensions)) * _scales[i];
            if (best.Count < most)
            {
                best.Enqueue(i, score);
            }
            else if (best.TryPeek(out _, out var worst) && score > worst)
            {
                best.DequeueEnqueue(i, score);
            }
        }

        var found = new List<Guid>(best.Count);
        while (best.TryDequeue(out var at, out _))
        {
            found.Add(_ids[at]);
        }

        found.Reverse();
        return found;
    }

    /// <summary>Products of bytes fit into 16 bits, their sums do not: widened before they are added.</summary>
    private static int Dot(ReadOnlySpan<sbyte> a, ReadOnlySpan<sbyte> b)
    {
        var sum = Vector<int>.Zero;
        var i = 0;
        for (; i + Vector<sbyte>.Count <= a.Length; i += Vector<sbyte>.Count)
        {
            Vector.Widen(new Vector<sbyte>(a[i..]), out var a1, out var a2);
            Vector.Widen(new Vector<sbyte>(b[i..]), out var b1, out var b2);
            Vector.Widen(a1 * b1, out var first, out var second);
            Vector.Widen(a2 * b2, out var third, out var fourth);
            sum += first + second + third + fourth;
        }

        var total = Vector.Sum(sum);
        for (; i < a.Length; i++)
        {
            total += a[i] * b[i];
        }

        return total;
    }

    /// <returns>What a number of the result stands for.</returns>
    private static float Quantize(ReadOnlySpan<float> vector, Span<sbyte> into)
    {
        var largest = TensorPrimitives.MaxMagnitude(vector);
        var scale = MathF.Abs(largest) / 127f;
        if (scale == 0)
        {
            into.Clear();
            return 0;
        }

        for (var i = 0; i < vector.Length; i++)
        {
            into[i] = (sbyte)MathF.Round(vector[i] / scale);
        }

        return scale;
    }

    private sealed class Builder(int dimensions)
    {
        private readonly List<Guid> _ids = [];
        private readonly List<sbyte> _values = [];
        private readonly List<float> _scales = [];

        public void Add(Guid id, float[] vector)
        {
            _ids.Add(id);
            CollectionsMarshal.SetCount(_values, _values.Count + dimensions);
            _scales.Add(Quantize(vector, CollectionsMarshal.AsSpan(_values)[^dimensions..]));
        }

        public VectorScan Build() => new([.. _ids], [.. _values], [.. _scales], dimensions);
    }
}
