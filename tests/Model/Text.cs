using System.Globalization;
using System.Text;

namespace GrayMQ.Model;

/// <summary>Text as requests carry it.</summary>
internal static class Text
{
    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public static string Of(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);

    public static string Join(char separator, params object[] parts) =>
        string.Join(separator, parts.Select(part => Convert.ToString(part, CultureInfo.InvariantCulture)));

    public static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
