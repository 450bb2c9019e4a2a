namespace Gateway.Simulator;

/// <summary>A text as the sum of its words' directions, so that texts with the same words lie close together.</summary>
internal static class WordVector
{
    /// <summary>
    /// Each word points along this many axes. With several, two different words are seldom mistaken for one another.
    /// </summary>
    private const int AxesPerWord = 8;

    private const float LetterGroupWeight = 0.15f;

    /// <returns>Of length 1. The same on every machine and in every run.</returns>
    public static float[] Of(string text, int dimensions)
    {
        var vector = new float[dimensions];
        foreach (var stem in Words.Stems(text))
        {
            Add(vector, stem, 1);
            // Groups of three letters bring "colour" near "color".
            for (var i = 0; i + 3 <= stem.Length; i++)
            {
                Add(vector, stem.AsSpan(i, 3), LetterGroupWeight);
            }
        }

        // Nothing but little words or signs: the text itself is the direction.
        if (Length(vector) == 0)
        {
            Add(vector, text, 1);
        }

        var length = Length(vector);
        if (length == 0)
        {
            vector[0] = 1;
            return vector;
        }

        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] = (float)(vector[i] / length);
        }

        return vector;
    }

    private static void Add(float[] vector, ReadOnlySpan<char> word, float weight)
    {
        var bits = Hash(word);
        for (var i = 0; i < AxesPerWord; i++)
        {
            bits = Mix(bits + 0x9E3779B97F4A7C15);
            vector[(int)((bits >> 1) % (uint)vector.Length)] += (bits & 1) == 0 ? weight : -weight;
        }
    }

    private static double Length(float[] vector)
    {
        double sum = 0;
        foreach (var value in vector)
        {
            sum += (double)value * value;
        }

        return Math.Sqrt(sum);
    }

    /// <summary>FNV-1a: string.GetHashCode differs from run to run.</summary>
    private static ulong Hash(ReadOnlySpan<char> word)
    {
        var hash = 14695981039346656037;
        foreach (var c in word)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return hash;
    }

    /// <summary>The finish of SplitMix64: spreads neighbouring numbers over all bits.</summary>
    private static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
