using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace GrayMQ.Cli.Tests.Support;

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

    public void Dispose() => _socket.Dispose();

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int value);
}
