using System.Globalization;
using System.Text;

namespace GrayMQ.Settings;

/// <summary>
/// Writes the syntax that <see cref="PropertiesReader"/> reads. All that is not ASCII is escaped: Java reads files as
/// Latin-1, and mqadmin reads what GET_BROKER_CONFIG answers in the same way.
/// </summary>
internal static class PropertiesWriter
{
    public static string EscapeKey(string key) => Escape(key, isKey: true);

    public static string EscapeValue(string value) => Escape(value, isKey: false);

    private static string Escape(string value, bool isKey)
    {
        var text = new StringBuilder(value.Length);
        foreach (char c in value)
        {
            text.Append(c switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\f' => "\\f",
                ' ' when isKey || text.Length == 0 => "\\ ",
                '=' or ':' or '#' or '!' when isKey => $"\\{c}",
                < ' ' or > '~' => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
                _ => c.ToString(),
            });
        }
        return text.ToString();
    }
}
