using System.Text;

namespace GrayMQ.Client.Admin;

/// <summary>Settings as brokers exchange them: one <c>name=value</c> per line (Java: Properties, without its escapes).</summary>
internal static class PropertiesText
{
    public static Dictionary<string, string> Read(string text)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && line[0] != '#')
            {
                properties[line[..equals].Trim()] = line[(equals + 1)..].Trim();
            }
        }

        return properties;
    }

    /// <exception cref="ArgumentException">A name or value holds a line break, or a name an equals sign.</exception>
    public static string Write(IReadOnlyDictionary<string, string> properties)
    {
        var text = new StringBuilder();
        foreach ((string name, string value) in properties)
        {
            if (name.AsSpan().ContainsAny('\n', '\r', '=') || value.AsSpan().ContainsAny('\n', '\r'))
            {
                throw new ArgumentException($"setting '{name}': no line breaks are possible, and no = in a name");
            }

            text.Append(name).Append('=').Append(value).Append('\n');
        }

        return text.ToString();
    }
}
