using GrayMQ.Broker.Registration;
using GrayMQ.Store;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>Has the broker come into the routes, once its ports are open. Each step says here what it waits for.</summary>
internal sealed class Arrival(
    LifecycleOptions options,
    BrokerLifecycle lifecycle,
    NameServerRegistration registration,
    Warmup warmup,
    DrainLease lease,
    MessageStore messages,
    TimeProvider time,
    ILogger<Arrival> logger)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    // A disk that is full is emptied by consumers, and they need the route.
    private static readonly TimeSpan MaxWaitForHealth = TimeSpan.FromSeconds(30);

    private volatile string? _waitingFor;

    /// <summary>What is waited for before the broker registers, in words; null when nothing.</summary>
    public string? WaitingFor => _waitingFor;

    /// <summary>Completes when the name servers that can be reached know the broker.</summary>
    public async Task ComeAsync(CancellationToken cancel)
    {
        if (options.RegistrationDelay > TimeSpan.Zero)
        {
            _waitingFor = $"registrationDelayMs: {options.RegistrationDelay.TotalSeconds} s from the opening of the ports";
            await Task.Delay(options.RegistrationDelay, time, cancel).ConfigureAwait(false);
        }

        await UntilHealthyAsync(cancel).ConfigureAwait(false);
        _waitingFor = "the name servers";
        await warmup.BeginAsync(cancel).ConfigureAwait(false);
        await registration.StartAsync(cancel).ConfigureAwait(false);
        _waitingFor = null;
        lifecycle.Enter(LifecycleState.Serving);

        // From before a restart: the next one may leave now.
        await lease.ReturnAsync(cancel).ConfigureAwait(false);
    }

    private async Task UntilHealthyAsync(CancellationToken cancel)
    {
        long begun = time.GetTimestamp();
        while (!messages.IsWritable)
        {
            if (time.GetElapsedTime(begun) >= MaxWaitForHealth)
            {
                Log.RegisteredUnhealthy(logger, MaxWaitForHealth);
                return;
            }

            _waitingFor = "the store to take messages";
            await Task.Delay(LookInterval, time, cancel).ConfigureAwait(false);
        }
    }
}
