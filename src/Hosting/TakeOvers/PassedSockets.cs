using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace GrayMQ.Hosting.TakeOvers;

/// <summary>Sends sockets over a Unix socket (SCM_RIGHTS): both processes then hold the same socket, with the same queue.</summary>
internal static unsafe class PassedSockets
{
    /// <summary>The most sockets that are passed; a server has a handful.</summary>
    public const int Max = 64;

    private const int NothingSet = 0;

    /// <summary>Sends one message; the sockets stay open here too.</summary>
    /// <exception cref="IOException">It cannot be sent.</exception>
    public static void Send(Socket via, ReadOnlySpan<byte> text, IReadOnlyList<Socket> sockets)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sockets.Count, Max);
        byte* control = stackalloc byte[sizeof(Libc.ControlHeader) + (Max * sizeof(int))];
        var header = (Libc.ControlHeader*)control;
        header->Bytes = (nuint)(sizeof(Libc.ControlHeader) + (sockets.Count * sizeof(int)));
        header->Level = Libc.SocketLevel;
        header->Type = Libc.Rights;
        int* descriptors = (int*)(header + 1);
        for (int i = 0; i < sockets.Count; i++)
        {
            // The runtime disconnects a socket that it closes while it is in use, which would empty its queue; it spares those that
            // other processes may share, and knows them by this flag being off.
            Check(Libc.Control(sockets[i].SafeHandle, Libc.SetDescriptorFlags, NothingSet), "fcntl");
            descriptors[i] = (int)sockets[i].SafeHandle.DangerousGetHandle();
        }

        fixed (byte* start = text)
        {
            var part = new Libc.IoVector { Start = start, Bytes = (nuint)text.Length };
            var message = new Libc.MessageHeader { Parts = &part, PartCount = 1, Control = control, ControlBytes = header->Bytes };
            while (Libc.Send(via.SafeHandle, &message, Libc.NoSignal) < 0)
            {
                CheckInterrupted("sendmsg");
            }
        }
    }

    /// <summary>Receives one message. The socket must be a blocking one.</summary>
    /// <returns>The bytes of the text; 0 when the other side has closed.</returns>
    /// <exception cref="IOException">Nothing came in time, or the connection broke.</exception>
    public static int Receive(Socket via, Span<byte> text, List<Socket> sockets)
    {
        nuint controlBytes = (nuint)(sizeof(Libc.ControlHeader) + (Max * sizeof(int)));
        byte* control = stackalloc byte[(int)controlBytes];
        fixed (byte* start = text)
        {
            var part = new Libc.IoVector { Start = start, Bytes = (nuint)text.Length };
            var message = new Libc.MessageHeader { Parts = &part, PartCount = 1, Control = control, ControlBytes = controlBytes };
            nint received;
            while ((received = Libc.Receive(via.SafeHandle, &message, flags: 0)) < 0)
            {
                CheckInterrupted("recvmsg");
            }

            var header = (Libc.ControlHeader*)control;
            if (message.ControlBytes >= (nuint)sizeof(Libc.ControlHeader) && header->Level == Libc.SocketLevel && header->Type == Libc.Rights)
            {
                int count = (int)((header->Bytes - (nuint)sizeof(Libc.ControlHeader)) / sizeof(int));
                int* descriptors = (int*)(header + 1);
                for (int i = 0; i < count; i++)
                {
                    sockets.Add(Adopt(descriptors[i]));
                }
            }

            return (int)received;
        }
    }

    /// <summary>A descriptor of this process as a socket that listens.</summary>
    /// <exception cref="IOException">It is none.</exception>
    public static Socket Adopt(int descriptor)
    {
        try
        {
            var socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
            Span<byte> listens = stackalloc byte[sizeof(int)];
            socket.GetRawSocketOption(Libc.SocketLevel, Libc.AcceptsConnections, listens);
            if (socket.LocalEndPoint is IPEndPoint && MemoryMarshal.Read<int>(listens) != 0)
            {
                return socket;
            }
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new IOException($"descriptor {descriptor} is no socket: {e.Message}", e);
        }

        throw new IOException($"descriptor {descriptor} is no TCP socket that listens");
    }

    /// <summary>Who is on the other side of a Unix socket.</summary>
    public static (int ProcessId, uint User) PeerOf(Socket socket)
    {
        // struct ucred: process, user, group
        Span<byte> credentials = stackalloc byte[3 * sizeof(int)];
        socket.GetRawSocketOption(Libc.SocketLevel, Libc.PeerCredentials, credentials);
        return (MemoryMarshal.Read<int>(credentials), MemoryMarshal.Read<uint>(credentials[sizeof(int)..]));
    }

    private static void Check(int result, string call)
    {
        if (result < 0)
        {
            throw Failure(call, Marshal.GetLastPInvokeError());
        }
    }

    private static void CheckInterrupted(string call)
    {
        if (Marshal.GetLastPInvokeError() is not Libc.Interrupted and int error)
        {
            throw Failure(call, error);
        }
    }

    private static IOException Failure(string call, int error) => new($"{call}: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})");
}
