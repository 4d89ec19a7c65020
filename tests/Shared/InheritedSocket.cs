using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace GrayMQ.Testing;

/// <summary>A socket that listens here and that processes that are started have too: nobody here accepts.</summary>
internal sealed partial class InheritedSocket : IDisposable
{
    private const int SetDescriptorFlags = 2;
    private const int Backlog = 64;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public InheritedSocket(int port)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _socket.Listen(Backlog);
        if (Control(Descriptor, SetDescriptorFlags, 0) != 0)
        {
            throw new InvalidOperationException("fcntl fails");
        }
    }

    public int Descriptor => (int)_socket.SafeHandle.DangerousGetHandle();

    public EndPoint EndPoint => _socket.LocalEndPoint!;

    /// <summary>What bash runs, with a command and its arguments, to start it with sockets as systemd does.</summary>
    /// <param name="names">What the sockets are called, separated by colons; null for nothing.</param>
    public static string StartScript(IReadOnlyList<InheritedSocket> sockets, string? names = null)
    {
        string move = string.Concat(sockets.Select((socket, i) => string.Create(
            CultureInfo.InvariantCulture, $"exec {3 + i}<&{socket.Descriptor}; ")));
        string named = names is null ? "" : $"LISTEN_FDNAMES={names} ";
        return string.Create(CultureInfo.InvariantCulture, $"{move}LISTEN_PID=$$ LISTEN_FDS={sockets.Count} {named}exec \"$0\" \"$@\"");
    }

    public void Dispose() => _socket.Dispose();

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int value);
}
