using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// The leave to leave: every name server that answers has to grant it, one after the other in the same order for all brokers. RocketMQ's
/// do not know it, and one that is away cannot grant it; neither holds a broker up.
/// </summary>
internal sealed class DrainLease : IDisposable
{
    // A broker that asked and has died holds up the others for no longer than this.
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewalPeriod = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(3);

    // Clients wait meanwhile.
    private static readonly TimeSpan HoldTimeout = TimeSpan.FromMilliseconds(200);

    private readonly LifecycleOptions _options;
    private readonly RemotingClient _client;
    private readonly ILogger _logger;
    private readonly ITimer _renewal;
    private DrainRequest? _taken;

    public DrainLease(LifecycleOptions options, RemotingClient client, TimeProvider time, ILogger<DrainLease> logger)
    {
        _options = options;
        _client = client;
        _logger = logger;
        _renewal = time.CreateTimer(_ => _ = RenewAsync(), null, RenewalPeriod, RenewalPeriod);
    }

    /// <summary>Whether this broker may leave, and who leaves besides.</summary>
    public async Task<(bool Granted, IReadOnlyCollection<string> Others)> TryTakeAsync(DrainRequest request, CancellationToken cancel)
    {
        var others = new HashSet<string>(StringComparer.Ordinal);
        foreach (string nameServer in _options.NameServers.Order(StringComparer.Ordinal))
        {
            if (await AskAsync(nameServer, request, AskTimeout, cancel).ConfigureAwait(false) is not { } answer)
            {
                continue;
            }

            others.UnionWith(answer.Others.Split(';', StringSplitOptions.RemoveEmptyEntries));
            if (!answer.Granted)
            {
                await ReturnAsync(cancel).ConfigureAwait(false);
                return (false, others);
            }
        }

        Volatile.Write(ref _taken, request);
        return (true, others);
    }

    /// <summary>
    /// Has the name servers keep the route while a successor takes this broker's place, whoever else is leaving. One that does not answer at
    /// once is not waited for: it forgets the broker until the successor has registered.
    /// </summary>
    public Task HoldRouteAsync(CancellationToken cancel)
    {
        var request = new DrainRequest("a successor", Parallel: int.MaxValue);
        return Task.WhenAll(_options.NameServers.Select(nameServer => AskAsync(nameServer, request, HoldTimeout, cancel)));
    }

    /// <summary>Gives it back; also one from before a restart.</summary>
    public async Task ReturnAsync(CancellationToken cancel)
    {
        Volatile.Write(ref _taken, null);
        var header = new ReturnDrainHeader { ClusterName = _options.ClusterName, BrokerAddress = _options.BrokerAddress };
        await Task.WhenAll(_options.NameServers.Select(async nameServer =>
        {
            try
            {
                await _client.InvokeAsync(nameServer, RequestCode.ReturnDrain, header, default, AskTimeout, cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                Log.LeaseNotAsked(_logger, nameServer, e.Message);
            }
        })).ConfigureAwait(false);
    }

    public void Dispose() => _renewal.Dispose();

    private async Task RenewAsync()
    {
        try
        {
            if (Volatile.Read(ref _taken) is { } request)
            {
                foreach (string nameServer in _options.NameServers)
                {
                    // A name server that was started anew grants it now, or has granted another one, which is too late to matter.
                    await AskAsync(nameServer, request, AskTimeout, CancellationToken.None).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e)
        {
            Log.LeaseNotRenewed(_logger, e);
        }
    }

    // Null when it does not answer, or does not know leases.
    private async Task<LeaseDrainResponseHeader?> AskAsync(
        string nameServer, DrainRequest request, TimeSpan timeout, CancellationToken cancel)
    {
        var header = new LeaseDrainHeader
        {
            ClusterName = _options.ClusterName,
            BrokerName = _options.BrokerName,
            BrokerAddress = _options.BrokerAddress,
            Parallel = request.Parallel,
            LeaseMs = (long)Length.TotalMilliseconds,
            ReturnMs = request.ScaleIn ? 0 : (long)_options.Return.TotalMilliseconds,
        };
        try
        {
            RemotingCommand answer = await _client
                .InvokeAsync(nameServer, RequestCode.LeaseDrain, header, default, timeout, cancel).ConfigureAwait(false);
            return answer.ResponseCode == ResponseCode.Success ? LeaseDrainResponseHeader.Read(answer.Fields) : null;
        }
        catch (Exception e) when (e is IOException or TimeoutException or HeaderFieldException)
        {
            Log.LeaseNotAsked(_logger, nameServer, e.Message);
            return null;
        }
    }
}
