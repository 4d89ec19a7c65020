using Microsoft.Extensions.Options;

namespace GrayMQ.Client.Hosting;

/// <summary>Lets <see cref="ClientOptions.GraySwitch"/> and <see cref="ClientOptions.GrayFlag"/> take effect while a client runs.</summary>
internal static class GrayOptions
{
    /// <param name="name">Of the options among others of their type.</param>
    /// <param name="set">Takes switch and flag.</param>
    /// <returns>Ends it.</returns>
    public static IDisposable? Follow<TOptions>(IOptionsMonitor<TOptions> monitor, string name, Action<bool, bool> set)
        where TOptions : ClientOptions => monitor.OnChange((options, changed) =>
    {
        if (changed == name)
        {
            set(options.GraySwitch, options.GrayFlag);
        }
    });
}
