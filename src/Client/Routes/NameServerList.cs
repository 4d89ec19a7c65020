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
        (string address, RemotingCommand response) = await AskAsync(
            RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(topic), default, passOverRefusals: true, cancel).ConfigureAwait(false);
        return response.ResponseCode switch
        {
            ResponseCode.Success => BodyCodec.Decode<TopicRouteData>(response.Body),
            ResponseCode.TopicNotExist => null,
            _ => throw new BrokerException(response.ResponseCode, address, response.Remark),
        };
    }

    /// <summary>Asks one of them, and hands its answer back whatever its code.</summary>
    /// <exception cref="NameServersUnavailableException">None of them answered.</exception>
    public async Task<RemotingCommand> InvokeAsync<THeader>(
        RequestCode code, THeader header, CancellationToken cancel, ReadOnlyMemory<byte> body = default)
        where THeader : IHeaderFields
    {
        (_, RemotingCommand response) = await AskAsync(code, header, body, passOverRefusals: false, cancel).ConfigureAwait(false);
        return response;
    }

    /// <summary>Asks one of them, and takes nothing but success for an answer.</summary>
    /// <param name="atLeast">How long to wait for an answer, if that is longer than usual.</param>
    /// <exception cref="NameServersUnavailableException">None of them answered.</exception>
    /// <exception cref="BrokerException">The answer is an error.</exception>
    public async Task<RemotingCommand> CallAsync<THeader>(
        RequestCode code, THeader header, CancellationToken cancel, ReadOnlyMemory<byte> body = default, TimeSpan atLeast = default)
        where THeader : IHeaderFields
    {
        (string address, RemotingCommand response) =
            await AskAsync(code, header, body, passOverRefusals: false, cancel, atLeast).ConfigureAwait(false);
        return response.ResponseCode == ResponseCode.Success
            ? response
            : throw new BrokerException(response.ResponseCode, address, response.Remark);
    }

    // Each is asked once at most, whatever questions beside this one make of where to begin.
    private async Task<(string Address, RemotingCommand Response)> AskAsync<THeader>(
        RequestCode code, THeader header, ReadOnlyMemory<byte> body, bool passOverRefusals, CancellationToken cancel, TimeSpan atLeast = default)
        where THeader : IHeaderFields
    {
        int first = Volatile.Read(ref _current);
        Exception? last = null;
        BrokerException? refusal = null;
        for (int i = 0; i < addresses.Count; i++)
        {
            int index = (first + i) % addresses.Count;
            string address = addresses[index];
            try
            {
                RemotingCommand response = await servers
                    .InvokeAsync(address, code, header, body, atLeast > servers.Timeout ? atLeast : servers.Timeout, cancel)
                    .ConfigureAwait(false);
                if (passOverRefusals && response.ResponseCode == ResponseCode.SystemError)
                {
                    // It has just come back, and waits for brokers that it knows to register again: another one may have been there all the time.
                    Log.NameServerNotReady(logger, address, response.Remark);
                    refusal = new BrokerException(response.ResponseCode, address, response.Remark);
                    continue;
                }

                Volatile.Write(ref _current, index);
                return (address, response);
            }
            catch (Exception e) when (e is ConnectionClosedException or TimeoutException)
            {
                Log.NameServerFailed(logger, address, e.Message);
                last = e;
            }
        }

        throw refusal is null
            ? new NameServersUnavailableException($"no name server answered of {string.Join(';', addresses)}: {last?.Message}", last)
            : new NameServersUnavailableException($"no name server gives out routes: {refusal.Message}", refusal);
    }
}
