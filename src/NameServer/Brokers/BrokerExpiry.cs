using GrayMQ.NameServer.Routes;
using GrayMQ.Remoting.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Brokers;

/// <summary>Unregisters brokers that have been silent for too long, and closes their connections.</summary>
internal sealed class BrokerExpiry : IDisposable
{
    private readonly BrokerRegistry _registry;
    private readonly MinBrokerIdNotifier _notifier;
    private readonly ILogger _logger;
    private readonly ITimer _timer;

    public BrokerExpiry(BrokerRegistry registry, MinBrokerIdNotifier notifier, TimeSpan interval, TimeProvider time, ILogger logger)
    {
        _registry = registry;
        _notifier = notifier;
        _logger = logger;
        _timer = time.CreateTimer(_ => Scan(), null, interval, interval);
    }

    public void Dispose() => _timer.Dispose();

    private void Scan()
    {
        try
        {
            _notifier.Notify(_registry.UnregisterExpired(out IReadOnlyList<object> connections));
            foreach (RemotingConnection connection in connections.OfType<RemotingConnection>())
            {
                connection.Abort("the broker has been silent for too long");
            }
        }
        catch (Exception e)
        {
            // A timer that throws ends the process.
            Log.ExpiryScanFailed(_logger, e);
        }
    }
}
