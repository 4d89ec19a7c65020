using System.Net;
using System.Threading.Channels;

namespace GrayMQ.Testing;

/// <summary>A request's body that goes on until it is ended.</summary>
internal sealed class OpenContent : HttpContent
{
    private readonly Channel<byte[]> _parts = Channel.CreateUnbounded<byte[]>();

    public ValueTask WriteAsync(byte[] part) => _parts.Writer.WriteAsync(part);

    public void End() => _parts.Writer.TryComplete();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.FlushAsync();
        await foreach (byte[] part in _parts.Reader.ReadAllAsync())
        {
            await stream.WriteAsync(part);
            await stream.FlushAsync();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
