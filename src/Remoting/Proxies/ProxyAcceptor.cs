using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Servers;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting.Proxies;

/// <summary>
/// Takes the header of the PROXY protocol off a connection's beginning, before TLS, and gives the connection the address of the client:
/// from then on nobody sees the proxy's.
/// </summary>
public sealed class ProxyAcceptor(RemotingServerOptions options, TimeProvider time, ILogger logger)
{
    private readonly LineThrottle _refusals = new(time);

    /// <summary>Waits for the first bytes; false, with a line in the log where it helps, when the connection is not to be served.</summary>
    public async Task<bool> AcceptAsync(ConnectionContext context, CancellationToken cancel)
    {
        if (await FirstBytes.ReadAsync(context.Transport.Input, options.MaxIdle, time, cancel).ConfigureAwait(false) is not { } read)
        {
            Log.SilentPeer(logger, context.RemoteEndPoint, (long)options.MaxIdle.TotalSeconds);
            return false;
        }

        try
        {
            return !read.Buffer.IsEmpty && await AcceptAsync(context, read, cancel).ConfigureAwait(false);
        }
        catch (ProtocolException e)
        {
            return Refuse(context.RemoteEndPoint, e.Message);
        }
    }

    private async Task<bool> AcceptAsync(ConnectionContext context, ReadResult read, CancellationToken cancel)
    {
        EndPoint? peer = context.RemoteEndPoint;
        PipeReader input = context.Transport.Input;
        long begun = time.GetTimestamp();
        while (true)
        {
            ReadOnlySequence<byte> rest = read.Buffer;
            ProxyHeaderSign sign = ProxyHeaderReader.Look(rest);
            if (sign == ProxyHeaderSign.None || (sign == ProxyHeaderSign.Undecided && read.IsCompleted))
            {
                input.AdvanceTo(rest.Start);
                return options.Proxy.Mode != ProxyMode.Required
                    || Refuse(peer, "it begins without a PROXY header, and proxyProtocol is required");
            }

            if (sign != ProxyHeaderSign.Undecided && !options.Proxy.Trusts(peer))
            {
                return Refuse(peer, WhyNotTrusted());
            }

            if (sign != ProxyHeaderSign.Undecided && ProxyHeaderReader.TryRead(sign, ref rest, out IPEndPoint? client))
            {
                input.AdvanceTo(rest.Start);
                if (client is not null)
                {
                    context.RemoteEndPoint = client;
                    Log.ConnectedByProxy(logger, client, peer);
                }

                return true;
            }

            input.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
            {
                return Refuse(peer, "it ended within its PROXY header");
            }

            // A proxy sends all of it with its first packet.
            TimeSpan left = options.HandshakeTimeout - time.GetElapsedTime(begun);
            if (left <= TimeSpan.Zero || await FirstBytes.ReadAsync(input, left, time, cancel).ConfigureAwait(false) is not { } next)
            {
                return Refuse(peer, $"its PROXY header took longer than {options.HandshakeTimeout.TotalSeconds:F0} s");
            }

            read = next;
        }
    }

    private string WhyNotTrusted() => options.Proxy.Mode == ProxyMode.Off
        ? "it begins with a PROXY header, and proxyProtocol is off"
        : "it begins with a PROXY header, and its address is not one of proxyProtocolSources";

    private bool Refuse(EndPoint? peer, string reason)
    {
        if (_refusals.TryPass(out long held))
        {
            Log.ProxyRefused(logger, peer, reason, held);
        }

        return false;
    }
}
