using GrayMQ.Client.Errors;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Admin;

/// <summary>
/// Asks and changes what name servers and brokers know. It belongs to no group and sends no heartbeats. Requests to brokers name the
/// address to ask, which <see cref="DescribeClusterAsync"/> tells. It may be used from any number of threads at once.
/// </summary>
/// <remarks>
/// Unless said otherwise, methods throw <see cref="NameServersUnavailableException"/> when no name server answers,
/// <see cref="ConnectionClosedException"/> or <see cref="TimeoutException"/> when a broker does not, and
/// <see cref="BrokerException"/> when a server refuses.
/// </remarks>
public sealed partial class AdminClient : IAsyncDisposable
{
    private readonly ClientSession _session;

    /// <param name="options">Read here: changes made afterwards have no effect.</param>
    /// <param name="loggers">Where to log; null logs nothing.</param>
    /// <param name="time">Where the time comes from; null takes the system's clock.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message says which.</exception>
    public AdminClient(AdminOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _session = new ClientSession(
            options.Copy(),
            ClientIdentity.Create(options.InstanceName),
            new RequestTable(),
            loggers ?? NullLoggerFactory.Instance,
            time ?? TimeProvider.System);
    }

    /// <summary>All brokers and clusters that the name servers know.</summary>
    public async Task<ClusterInfo> DescribeClusterAsync(CancellationToken cancel = default) =>
        Decode<ClusterInfo>(await _session.NameServers
            .CallAsync(RequestCode.GetBrokerClusterInfo, default(NoHeader), cancel).ConfigureAwait(false));

    /// <summary>Names of all topics that any broker has registered.</summary>
    public async Task<IReadOnlyList<string>> ListTopicsAsync(CancellationToken cancel = default) =>
        Decode<TopicList>(await _session.NameServers
            .CallAsync(RequestCode.GetAllTopicListFromNameServer, default(NoHeader), cancel).ConfigureAwait(false)).Topics;

    /// <summary>Where a topic lives; null when no name server knows it.</summary>
    public Task<TopicRouteData?> FindRouteAsync(string topic, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return _session.NameServers.FindRouteAsync(topic, cancel);
    }

    /// <summary>Has every name server forget a topic in a cluster. Brokers that still have it bring it back with their next registration.</summary>
    /// <exception cref="ConnectionClosedException">One of them cannot be reached; the others are told all the same.</exception>
    public async Task DeleteTopicInNameServersAsync(string topic, string cluster, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(topic);
        var header = new DeleteTopicInNameServerHeader { Topic = topic, ClusterName = cluster };
        await Task.WhenAll(_session.NameServers.Addresses.Select(address => _session.Servers
            .CallAsync(address, RequestCode.DeleteTopicInNameServer, header, cancel: cancel))).ConfigureAwait(false);
    }

    /// <summary>Closes all connections.</summary>
    public ValueTask DisposeAsync() => _session.DisposeAsync();

    private static T Decode<T>(RemotingCommand answer) => BodyCodec.Decode<T>(answer.Body);

    private Task<RemotingCommand> CallAsync<THeader>(
        string address, RequestCode code, THeader header, ReadOnlyMemory<byte> body, CancellationToken cancel)
        where THeader : IHeaderFields => _session.Servers.CallAsync(address, code, header, body, cancel: cancel);

    private Task<RemotingCommand> CallAsync<THeader>(
        string address, RequestCode code, THeader header, CancellationToken cancel)
        where THeader : IHeaderFields => _session.Servers.CallAsync(address, code, header, cancel: cancel);

    private async Task<T> CallAsync<THeader, T>(string address, RequestCode code, THeader header, CancellationToken cancel)
        where THeader : IHeaderFields =>
        Decode<T>(await CallAsync(address, code, header, cancel).ConfigureAwait(false));
}
