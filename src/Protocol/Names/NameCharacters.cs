using System.Buffers;

namespace GrayMQ.Protocol.Names;

/// <summary>The characters that names of topics and groups are made of: <c>^[%|a-zA-Z0-9_-]+$</c> (RocketMQ: TopicValidator).</summary>
internal static class NameCharacters
{
    private const string Allowed = "%|_-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Chars = SearchValues.Create(Allowed);
    private static readonly SearchValues<byte> Bytes = SearchValues.Create([.. Allowed.Select(c => (byte)c)]);

    public static bool AreLegal(ReadOnlySpan<char> name) => !name.ContainsAnyExcept(Chars);

    public static bool AreLegal(ReadOnlySpan<byte> utf8Name) => !utf8Name.ContainsAnyExcept(Bytes);
}
