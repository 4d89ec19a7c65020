using System.Text;

namespace GrayMQ.Filtering.Tests.Sql92;

/// <summary>An expression, a message, and what RocketMQ 5.3.3's own filter classes said of the two.</summary>
internal sealed record RocketMqCase(string Answer, string Expression, IReadOnlyDictionary<string, string> Properties)
{
    public byte[] Message => Messages.Bytes(Properties);

    public static IReadOnlyList<RocketMqCase> ReadAll()
    {
        using Stream stream = typeof(RocketMqCase).Assembly.GetManifestResourceStream("rocketmq-5.3.3.tsv")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var cases = new List<RocketMqCase>();
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
            {
                string[] columns = line.Split('\t');
                cases.Add(new RocketMqCase(columns[0], Unescape(columns[1]), ReadProperties(columns[2])));
            }
        }

        return cases;
    }

    public override string ToString() =>
        $"{Expression} [{string.Join(", ", Properties.Select(property => $"{property.Key}={property.Value}"))}]";

    private static Dictionary<string, string> ReadProperties(string column)
    {
        var properties = new Dictionary<string, string>();
        int start = 0;
        for (int at = 0; at <= column.Length; at++)
        {
            if (at < column.Length && column[at] == '\\')
            {
                at++;
            }
            else if (at == column.Length || column[at] == ';')
            {
                string property = column[start..at];
                int equals = property.IndexOf('=', StringComparison.Ordinal);
                if (equals > 0)
                {
                    properties.Add(property[..equals], Unescape(property[(equals + 1)..]));
                }

                start = at + 1;
            }
        }

        return properties;
    }

    private static string Unescape(string text)
    {
        var plain = new StringBuilder();
        for (int at = 0; at < text.Length; at++)
        {
            plain.Append(text[at] != '\\' ? text[at] : text[++at] switch
            {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                'f' => '\f',
                char other => other,
            });
        }

        return plain.ToString();
    }
}
