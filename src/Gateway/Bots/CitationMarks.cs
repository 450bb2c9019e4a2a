using System.Globalization;

namespace Gateway.Bots;

/// <summary>
/// Finds the marks in an answer that refer to a source, <c>[1]</c> or <c>[1, 2]</c>, whatever pieces the text comes in. Not for
/// concurrent use.
/// </summary>
internal sealed class CitationMarks(Citations sources)
{
    private const int MostNumbers = 8;
    private const int MostDigits = 4;

    private readonly List<int> _numbers = [];
    private readonly List<BotEvent.Cited> _cited = [];
    private int _position;
    private int _start = -1;
    private int _number;
    private int _digits;

    /// <summary>The sources that become known with this piece. The list is used again by the next call.</summary>
    public List<BotEvent.Cited> Read(string piece)
    {
        _cited.Clear();
        if (_start < 0 && !piece.Contains('[', StringComparison.Ordinal))
        {
            _position += piece.Length;
            return _cited;
        }

        foreach (var letter in piece)
        {
            Read(letter);
            _position++;
        }

        return _cited;
    }

    private void Read(char letter)
    {
        if (letter == '[')
        {
            _numbers.Clear();
            (_start, _number, _digits) = (_position, 0, 0);
        }
        else if (_start < 0)
        {
            return;
        }
        else if (char.IsAsciiDigit(letter) && _digits < MostDigits)
        {
            _number = (_number * 10) + CharUnicodeInfo.GetDecimalDigitValue(letter);
            _digits++;
        }
        else if (letter is ',' or ']' && _digits > 0 && _numbers.Count < MostNumbers)
        {
            _numbers.Add(_number);
            (_number, _digits) = (0, 0);
            if (letter == ']')
            {
                _cited.AddRange(_numbers.Distinct().Select(sources.Find).OfType<Citation>()
                    .Select(source => new BotEvent.Cited(_start, _position + 1, source)));
                _start = -1;
            }
        }
        else if (!(letter == ' ' && _digits == 0 && _numbers.Count > 0))
        {
            _start = -1;
        }
    }
}
