using System.Globalization;
using System.Text;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>
/// JSON as fastjson writes it: keys of objects may be numbers or whole objects (<c>{0:"a"}</c>, <c>{{"queueId":1}:{}}</c>).
/// </summary>
internal sealed class LooseJson
{
    private readonly string _text;
    private int _at;

    private LooseJson(string text) => _text = text;

    public static JsonNode Parse(byte[] utf8)
    {
        var json = new LooseJson(Encoding.UTF8.GetString(utf8));
        JsonNode node = json.ReadValue();
        json.SkipSpace();
        Assert.Equal(json._text.Length, json._at);
        return node;
    }

    private JsonNode ReadValue()
    {
        SkipSpace();
        return _text[_at] switch
        {
            '{' => ReadObject(),
            '[' => ReadArray(),
            '"' => new JsonNode.Scalar('"' + ReadString() + '"'),
            _ => new JsonNode.Scalar(ReadBare()),
        };
    }

    private JsonNode.Object ReadObject()
    {
        var members = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (JsonNode key in Items('{', '}'))
        {
            Expect(':');
            members.Add(key is JsonNode.Scalar scalar ? scalar.Text.Trim('"') : key.ToString()!, ReadValue());
        }

        return new JsonNode.Object(members);
    }

    private JsonNode.Array ReadArray() => new([.. Items('[', ']')]);

    // What comes after each item, up to the comma, is read by whoever enumerates.
    private IEnumerable<JsonNode> Items(char open, char close)
    {
        Expect(open);
        SkipSpace();
        if (_text[_at] == close)
        {
            _at++;
            yield break;
        }

        while (true)
        {
            yield return ReadValue();
            SkipSpace();
            if (_text[_at] == close)
            {
                _at++;
                yield break;
            }

            Expect(',');
        }
    }

    private string ReadString()
    {
        Expect('"');
        var text = new StringBuilder();
        while (_text[_at] != '"')
        {
            char c = _text[_at++];
            if (c != '\\')
            {
                text.Append(c);
                continue;
            }

            char escaped = _text[_at++];
            text.Append(escaped switch
            {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\b',
                'f' => '\f',
                'u' => (char)int.Parse(_text.AsSpan((_at += 4) - 4, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                _ => escaped,
            });
        }

        _at++;
        return text.ToString();
    }

    private string ReadBare()
    {
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '-' or '+' or '.'))
        {
            _at++;
        }

        Assert.True(_at > start, $"no value at {start}: {_text[start..Math.Min(_text.Length, start + 40)]}");
        return _text[start.._at];
    }

    private void Expect(char c)
    {
        SkipSpace();
        Assert.True(_text[_at] == c, $"expected {c} at {_at}: {_text[_at..Math.Min(_text.Length, _at + 40)]}");
        _at++;
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
        {
            _at++;
        }
    }
}

/// <summary>A value of <see cref="LooseJson"/>; its text is canonical, so that equal values have equal texts.</summary>
internal abstract record JsonNode
{
    /// <param name="Text">As written; strings keep their quotes.</param>
    internal sealed record Scalar(string Text) : JsonNode
    {
        public override string ToString() => Text;
    }

    internal sealed record Array(IReadOnlyList<JsonNode> Items) : JsonNode
    {
        public override string ToString() => $"[{string.Join(',', Items)}]";
    }

    internal sealed record Object(IReadOnlyDictionary<string, JsonNode> Members) : JsonNode
    {
        public override string ToString() => $"{{{string.Join(',', Members.Select(member => $"{member.Key}:{member.Value}"))}}}";
    }
}
