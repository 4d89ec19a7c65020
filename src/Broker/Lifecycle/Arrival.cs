using GrayMQ.Broker.Registration;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>Has the broker come into the routes, once its ports are open.</summary>
internal sealed class Arrival(
    LifecycleOptions options, BrokerLifecycle lifecycle, NameServerRegistration registration, DrainLease lease, TimeProvider time)
{
    /// <summary>Completes when the name servers that can be reached know the broker.</summary>
    public async Task ComeAsync(CancellationToken cancel)
    {
        if (options.RegistrationDelay > TimeSpan.Zero)
        {
            await Task.Delay(options.RegistrationDelay, time, cancel).ConfigureAwait(false);
        }

        await registration.StartAsync(cancel).ConfigureAwait(false);
        lifecycle.Enter(LifecycleState.Serving);

        // From before a restart: the next one may leave now.
        await lease.ReturnAsync(cancel).ConfigureAwait(false);
    }
}
