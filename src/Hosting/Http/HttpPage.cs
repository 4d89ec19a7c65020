using System.Text;

namespace GrayMQ.Hosting.Http;

/// <summary>An answer as a whole.</summary>
/// <param name="Status">HTTP status code.</param>
public readonly record struct HttpPage(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>A line for people.</summary>
    public static HttpPage Text(int status, string line) =>
        new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(line + "\n"));
}
