using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Client.Sessions;

/// <summary>Asks servers by address; the time limit of a call covers making the connection.</summary>
internal sealed class ServerCaller(RemotingClient remoting, SerializeType serializeType, TimeSpan timeout, TimeProvider time)
{
    /// <summary>Raised for each connection that is made, by its address, before anything is sent by it.</summary>
    public event Action<string> Connected
    {
        add => remoting.ConnectionOpened += value;
        remove => remoting.ConnectionOpened -= value;
    }

    /// <summary>Raised for each connection that has ended, by its address; perhaps when there is another one already.</summary>
    public event Action<string, RemotingConnection> Disconnected
    {
        add => remoting.ConnectionClosed += value;
        remove => remoting.ConnectionClosed -= value;
    }

    /// <summary>The limit of calls that have none of their own.</summary>
    public TimeSpan Timeout => timeout;

    /// <summary>Asks, and hands the answer back whatever its code.</summary>
    /// <param name="body">Read before the first asynchronous wait for the answer; not kept.</param>
    /// <exception cref="ConnectionClosedException">The server cannot be reached, or the connection ended before the answer.</exception>
    /// <exception cref="TimeoutException">No answer came in time.</exception>
    public async Task<RemotingCommand> InvokeAsync<THeader>(
        string address, RequestCode code, THeader header, ReadOnlyMemory<byte> body, TimeSpan limit, CancellationToken cancel)
        where THeader : IHeaderFields
    {
        ValueTask<RemotingConnection> connecting = remoting.ConnectAsync(address, cancel);
        RemotingConnection connection;
        if (connecting.IsCompletedSuccessfully)
        {
            connection = connecting.Result;
        }
        else
        {
            long start = time.GetTimestamp();
            try
            {
                connection = await connecting.AsTask().WaitAsync(limit, time, cancel).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"{code}: no connection to {address} within {limit.TotalMilliseconds:F0} ms");
            }

            limit -= time.GetElapsedTime(start);
            if (limit <= TimeSpan.Zero)
            {
                throw new TimeoutException($"{code}: connecting to {address} took all the time there was");
            }
        }

        return await connection.InvokeAsync(code, header, body, limit, SerializeTypeOf(code), cancel).ConfigureAwait(false);
    }

    /// <summary>Asks, and takes nothing but success for an answer.</summary>
    /// <exception cref="BrokerException">The server answered with an error.</exception>
    /// <inheritdoc cref="InvokeAsync"/>
    public async Task<RemotingCommand> CallAsync<THeader>(
        string address,
        RequestCode code,
        THeader header,
        ReadOnlyMemory<byte> body = default,
        TimeSpan? limit = null,
        CancellationToken cancel = default)
        where THeader : IHeaderFields
    {
        RemotingCommand response =
            await InvokeAsync(address, code, header, body, limit ?? timeout, cancel).ConfigureAwait(false);
        return response.ResponseCode == ResponseCode.Success
            ? response
            : throw new BrokerException(response.ResponseCode, address, response.Remark);
    }

    /// <summary>Sends a request that nobody answers; completes when it has been handed to the transport.</summary>
    /// <exception cref="ConnectionClosedException">The server cannot be reached.</exception>
    /// <exception cref="TimeoutException">It could not be handed over in time.</exception>
    public Task SendOneWayAsync<THeader>(
        string address, RequestCode code, THeader header, ReadOnlyMemory<byte> body, TimeSpan limit, CancellationToken cancel)
        where THeader : IHeaderFields =>
        remoting.SendOneWayAsync(address, code, header, body, cancel).WaitAsync(limit, time, cancel);

    // Binary headers hold a code of 16 bits: the requests of pop have larger ones.
    private SerializeType SerializeTypeOf(RequestCode code) => (int)code > short.MaxValue ? SerializeType.Json : serializeType;
}
