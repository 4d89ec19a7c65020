using System.IO.Pipelines;
using System.Net.Security;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// A duplex pipe whose bytes travel encrypted over another one. What is written goes through a pipe of its own, so that frames can
/// be written while earlier ones are still being encrypted and sent.
/// </summary>
internal sealed class TlsTransport : IDuplexPipe, IAsyncDisposable
{
    private readonly SslStream _tls;
    private readonly Pipe _plain = new();
    private readonly Task _sending;

    private TlsTransport(SslStream tls)
    {
        _tls = tls;
        Input = PipeReader.Create(tls, new StreamPipeReaderOptions(leaveOpen: true));
        _sending = SendAsync();
    }

    public PipeReader Input { get; }

    public PipeWriter Output => _plain.Writer;

    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed.</exception>
    public static async Task<TlsTransport> AcceptAsync(
        IDuplexPipe encrypted, SslServerAuthenticationOptions options, CancellationToken cancel)
    {
        SslStream tls = Over(encrypted);
        try
        {
            await tls.AuthenticateAsServerAsync(options, cancel).ConfigureAwait(false);
            return new TlsTransport(tls);
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc cref="AcceptAsync"/>
    public static async Task<TlsTransport> ConnectAsync(
        IDuplexPipe encrypted, SslClientAuthenticationOptions options, CancellationToken cancel)
    {
        SslStream tls = Over(encrypted);
        try
        {
            await tls.AuthenticateAsClientAsync(options, cancel).ConfigureAwait(false);
            return new TlsTransport(tls);
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _plain.Writer.CompleteAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        await _tls.DisposeAsync().ConfigureAwait(false);
    }

    private static SslStream Over(IDuplexPipe encrypted) => new(new DuplexPipeStream(encrypted));

    private async Task SendAsync()
    {
        PipeReader reader = _plain.Reader;
        try
        {
            while (true)
            {
                ReadResult result = await reader.ReadAsync().ConfigureAwait(false);
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    await _tls.WriteAsync(segment).ConfigureAwait(false);
                }

                await _tls.FlushAsync().ConfigureAwait(false);
                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    await _tls.ShutdownAsync().ConfigureAwait(false);
                    break;
                }
            }

            await reader.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The connection's write side learns of it at its next flush.
            await reader.CompleteAsync(e).ConfigureAwait(false);
        }
    }
}
