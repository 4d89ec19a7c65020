using GrayMQ.Broker.Locks;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Clients;

/// <summary>Looks for clients that have fallen silent, and for locks that nobody renews (RocketMQ: ClientHousekeepingService).</summary>
internal sealed class ClientExpiry(
    ConsumerTable consumers, ProducerTable producers, QueueLockTable locks, TimeProvider time, ILogger<ClientExpiry> logger)
    : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private ITimer? _timer;

    public void Start() => _timer ??= time.CreateTimer(_ => Run(), null, Period, Period);

    public void Dispose() => _timer?.Dispose();

    private void Run()
    {
        try
        {
            consumers.Expire();
            producers.Expire();
            locks.Expire();
        }
        catch (Exception e)
        {
            Log.ExpiryFailed(logger, e);
        }
    }
}
