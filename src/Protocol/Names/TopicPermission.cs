namespace GrayMQ.Protocol.Names;

/// <summary>Bits of a topic's permission (RocketMQ: PermName).</summary>
public static class TopicPermission
{
    /// <summary>Topics that are created by a send may take this one as their template.</summary>
    public const int Inherit = 1;
    public const int Write = 2;
    public const int Read = 4;
    public const int ReadWrite = Read | Write;

    /// <summary>All that may be set.</summary>
    public const int All = ReadWrite | Inherit;

    public static bool IsReadable(int permission) => (permission & Read) != 0;

    public static bool IsWritable(int permission) => (permission & Write) != 0;

    public static bool IsInherited(int permission) => (permission & Inherit) != 0;

    public static bool IsValid(int permission) => permission is >= 0 and <= All;
}
