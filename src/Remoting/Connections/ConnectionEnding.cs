using Microsoft.AspNetCore.Connections;

namespace GrayMQ.Remoting.Connections;

/// <summary>How a connection's transport is given back after its last frame.</summary>
internal static class ConnectionEnding
{
    /// <summary>The time for a peer to take what was still written to it; it is cut off then, or it could keep its place for ever.</summary>
    public static readonly TimeSpan LingerTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Sends what is left, closes, and disposes; at the latest when the linger time is over. Never throws.</summary>
    public static async Task CloseAsync(ConnectionContext context, TlsTransport? tls, TimeProvider time)
    {
        using var linger = new CancellationTokenSource(LingerTimeout, time);
        using CancellationTokenRegistration cut = linger.Token.UnsafeRegister(
            static state => ((ConnectionContext)state!).Abort(new ConnectionAbortedException("the peer does not read")), context);
        try
        {
            if (tls is not null)
            {
                await tls.DisposeAsync().ConfigureAwait(false);
            }

            await context.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ConnectionAbortedException or ObjectDisposedException or InvalidOperationException)
        {
            // It has ended, which is what was wanted.
            context.Abort(new ConnectionAbortedException(e.Message, e));
        }
    }
}
