using System.Text;

namespace GrayMQ.Filtering.Tests;

internal static class Messages
{
    /// <summary>Properties as they are stored.</summary>
    public static byte[] Bytes(IEnumerable<KeyValuePair<string, string>> properties) =>
        Encoding.UTF8.GetBytes(string.Concat(properties.Select(property => $"{property.Key}\u0001{property.Value}\u0002")));

    /// <summary>Written as <c>a=1;b=x</c>.</summary>
    public static byte[] Of(string properties) => Bytes(properties
        .Split(';', StringSplitOptions.RemoveEmptyEntries)
        .Select(property => property.Split('=', 2))
        .Select(parts => new KeyValuePair<string, string>(parts[0], parts[1])));
}
