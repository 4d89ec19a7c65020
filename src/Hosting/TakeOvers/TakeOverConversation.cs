using System.Text;

namespace GrayMQ.Hosting.TakeOvers;

/// <summary>
/// What two processes say to each other when one takes the other's place, over a Unix socket in the store's directory:
/// <code>
/// successor                                  predecessor
/// GRAYMQ TAKE-OVER 1          →
///                             ←              SOCKETS, and with it the sockets
/// GO                          →
///                                            stops accepting, answers what it has read, stores, ends
/// waits for the store's lock, recovers, accepts
/// </code>
/// Until GO either side may go away without harm.
/// </summary>
internal static class TakeOverConversation
{
    public const int MaxMessageBytes = 64;

    /// <summary>sizeof(sockaddr_un.sun_path), with the zero at its end.</summary>
    public const int MaxPathBytes = 107;

    public static ReadOnlySpan<byte> Request => "GRAYMQ TAKE-OVER 1\n"u8;

    public static ReadOnlySpan<byte> Sockets => "SOCKETS\n"u8;

    public static ReadOnlySpan<byte> Go => "GO\n"u8;

    public static string PathIn(string storeDirectory) => Path.GetFullPath(Path.Combine(storeDirectory, "takeover"));

    public static bool IsTooLong(string path) => Encoding.UTF8.GetByteCount(path) > MaxPathBytes;
}
