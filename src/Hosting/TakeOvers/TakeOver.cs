using System.Net.Sockets;

namespace GrayMQ.Hosting.TakeOvers;

/// <summary>The successor's side of a take-over; see <see cref="TakeOverConversation"/>.</summary>
public sealed class TakeOver : IDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    private readonly Socket _predecessor;

    private TakeOver(Socket predecessor, IReadOnlyList<Socket> sockets)
    {
        _predecessor = predecessor;
        Sockets = sockets;
    }

    /// <summary>The predecessor's listening sockets, which it still accepts from until <see cref="Go"/>.</summary>
    public IReadOnlyList<Socket> Sockets { get; }

    /// <summary>Asks the server that has a store for its sockets.</summary>
    /// <param name="processId">The process that is to be there.</param>
    /// <exception cref="IOException">It is not there, or not that process, or does not answer; the message says which.</exception>
    public static TakeOver Ask(string storeDirectory, int processId)
    {
        string path = TakeOverConversation.PathIn(storeDirectory);
        if (TakeOverConversation.IsTooLong(path))
        {
            throw new IOException($"{path} is too long for a Unix socket, so no server can be taken over there");
        }

        var predecessor = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            ReceiveTimeout = (int)AnswerTimeout.TotalMilliseconds,
            SendTimeout = (int)AnswerTimeout.TotalMilliseconds,
        };
        var sockets = new List<Socket>();
        try
        {
            predecessor.Connect(new UnixDomainSocketEndPoint(path));
            (int found, _) = PassedSockets.PeerOf(predecessor);
            if (found != processId)
            {
                throw new IOException($"the store {storeDirectory} belongs to process {found}, not to {processId}");
            }

            predecessor.Send(TakeOverConversation.Request);
            Span<byte> text = stackalloc byte[TakeOverConversation.MaxMessageBytes];
            text = text[..PassedSockets.Receive(predecessor, text, sockets)];
            return text.SequenceEqual(TakeOverConversation.Sockets)
                ? new TakeOver(predecessor, sockets)
                : throw new IOException($"process {processId} does not hand over its sockets: its log says why");
        }
        catch (Exception e)
        {
            predecessor.Dispose();
            sockets.ForEach(socket => socket.Dispose());
            if (e is SocketException)
            {
                throw new IOException($"no server offers to be taken over at {path}: {e.Message}", e);
            }

            throw;
        }
    }

    /// <summary>Has the predecessor stop. There is no way back.</summary>
    /// <exception cref="IOException">It is gone.</exception>
    public void Go()
    {
        try
        {
            _predecessor.Send(TakeOverConversation.Go);
        }
        catch (SocketException e)
        {
            throw new IOException($"the server that was to be taken over is gone: {e.Message}", e);
        }
    }

    public void Dispose() => _predecessor.Dispose();
}
