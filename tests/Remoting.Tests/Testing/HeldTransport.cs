using System.Net;
using Microsoft.AspNetCore.Connections;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>A transport that unbinds no port before the test lets it, and counts how often it is to.</summary>
internal sealed class HeldTransport(IConnectionListenerFactory sockets) : IConnectionListenerFactory
{
    private readonly TaskCompletionSource _mayUnbind = new();
    private int _unbound;

    /// <summary>How often a port was to be unbound.</summary>
    public int Unbound => Volatile.Read(ref _unbound);

    public void LetUnbind() => _mayUnbind.SetResult();

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await sockets.BindAsync(endpoint, cancellationToken), this);

    private sealed class Listener(IConnectionListener listener, HeldTransport transport) : IConnectionListener
    {
        public EndPoint EndPoint => listener.EndPoint;

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => listener.AcceptAsync(cancellationToken);

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref transport._unbound);
            await transport._mayUnbind.Task;
            await listener.UnbindAsync(cancellationToken);
        }

        public ValueTask DisposeAsync() => listener.DisposeAsync();
    }
}
