using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;

namespace Gateway.Bots.Datasets;

/// <summary>Vectors as they are kept: half-precision, little-endian, of unit length. Pure.</summary>
internal static class VectorBytes
{
    /// <summary>Makes a vector one of unit length, so that a product of two is their similarity. One of zeros stays so.</summary>
    public static void Normalize(Span<float> vector)
    {
        var length = TensorPrimitives.Norm(vector);
        if (length > 0 && float.IsFinite(length))
        {
            TensorPrimitives.Divide(vector, length, vector);
        }
        else
        {
            vector.Clear();
        }
    }

    public static byte[] ToHalves(ReadOnlySpan<float> vector)
    {
        var bytes = new byte[vector.Length * 2];
        TensorPrimitives.ConvertToHalf(vector, MemoryMarshal.Cast<byte, Half>(bytes.AsSpan()));
        return bytes;
    }

    public static float[] FromHalves(ReadOnlySpan<byte> bytes)
    {
        var vector = new float[bytes.Length / 2];
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), vector);
        return vector;
    }

    /// <summary>As the pgvector extension reads it.</summary>
    public static string ToText(ReadOnlySpan<float> vector)
    {
        var text = new StringBuilder(vector.Length * 9).Append('[');
        for (var i = 0; i < vector.Length; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"{vector[i]:G5}");
        }

        return text.Append(']').ToString();
    }
}
