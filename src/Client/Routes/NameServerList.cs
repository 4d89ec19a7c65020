using GrayMQ.Client.Errors;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Routes;

/// <summary>
/// The name servers, any of which can answer. One is asked until it fails, then the next; where to begin is left to chance, so that
/// clients spread over them.
/// </summary>
internal sealed class NameServerList(IReadOnlyList<string> addresses, ServerCaller servers, ILogger logger)
{
    private int _current = Random.Shared.Next(addresses.Count);

    public IReadOnlyList<string> Addresses => addresses;

    /// <summary>Where a topic lives; null when the name server that was asked does not know it.</summary>
    /// <exception cref="NameServersUnavailableException">None of them answered, or gives out routes.</exception>
    public async Task<TopicRouteData?> FindRouteAsync(string topic, CancellationToken cancel)
    {
        RemotingCommand response = await AskAsync().ConfigureAwait(false);
        for (int refused = 1; response.ResponseCode == ResponseCode.SystemError && refused < addresses.Count; refused++)
        {
            // It has just come back, and waits for brokers that it knows to register again: another one may have been there all the time.
            Log.NameServerNotReady(logger, addresses[_current], response.Remark);
            Volatile.Write(ref _current, (Volatile.Read(ref _current) + 1) % addresses.Count);
            response = await AskAsync().ConfigureAwait(false);
        }

        return response.ResponseCode switch
        {
            ResponseCode.Success => BodyCodec.Decode<TopicRouteData>(response.Body),
            ResponseCode.TopicNotExist => null,
            ResponseCode.SystemError => throw new NameServersUnavailableException($"no name server gives out routes: {response.Remark}", null),
            _ => throw new BrokerException(response.ResponseCode, addresses[_current], response.Remark),
        };

        Task<RemotingCommand> AskAsync() => InvokeAsync(RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(topic), cancel);
    }

    /// <summary>Asks one of them, and hands its answer back whatever its code.</summary>
    /// <exception cref="NameServersUnavailableException">None of them answered.</exception>
    public async Task<RemotingCommand> InvokeAsync<THeader>(
        RequestCode code, THeader header, CancellationToken cancel, ReadOnlyMemory<byte> body = default)
        where THeader : IHeaderFields
    {
        int first = Volatile.Read(ref _current);
        Exception? last = null;
        for (int i = 0; i < addresses.Count; i++)
        {
            int index = (first + i) % addresses.Count;
            try
            {
                RemotingCommand response = await servers
                    .InvokeAsync(addresses[index], code, header, body, servers.Timeout, cancel)
                    .ConfigureAwait(false);
                Volatile.Write(ref _current, index);
                return response;
            }
            catch (Exception e) when (e is ConnectionClosedException or TimeoutException)
            {
                Log.NameServerFailed(logger, addresses[index], e.Message);
                last = e;
            }
        }

        throw new NameServersUnavailableException(
            $"no name server answered of {string.Join(';', addresses)}: {last?.Message}", last);
    }

    /// <summary>Asks one of them, and takes nothing but success for an answer.</summary>
    /// <exception cref="NameServersUnavailableException">None of them answered.</exception>
    /// <exception cref="BrokerException">The answer is an error.</exception>
    public async Task<RemotingCommand> CallAsync<THeader>(
        RequestCode code, THeader header, CancellationToken cancel, ReadOnlyMemory<byte> body = default)
        where THeader : IHeaderFields
    {
        RemotingCommand response = await InvokeAsync(code, header, cancel, body).ConfigureAwait(false);
        return response.ResponseCode == ResponseCode.Success
            ? response
            : throw new BrokerException(response.ResponseCode, addresses[_current], response.Remark);
    }
}
