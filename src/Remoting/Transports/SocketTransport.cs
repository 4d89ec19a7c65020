using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting.Transports;

/// <summary>TCP: Kestrel's sockets over blocks of a <see cref="BlockPool"/>.</summary>
public static class SocketTransport
{
    /// <summary>A transport to bind addresses with.</summary>
    /// <param name="time">Tells when memory has been unused for long.</param>
    /// <param name="sockets">Where listening sockets come from; null binds new ones.</param>
    public static IConnectionListenerFactory Create(TimeProvider time, ILoggerFactory loggers, ListeningSockets? sockets = null)
    {
        var services = new ServiceCollection();
        services.AddOptions().AddSingleton(loggers).AddSingleton<IMemoryPoolFactory<byte>>(new BlockPools(time));
        new SocketServices(services).UseSockets(options =>
        {
            if (sockets is not null)
            {
                options.CreateBoundListenSocket = sockets.Bind;
            }
        });
        return services.BuildServiceProvider().GetRequiredService<IConnectionListenerFactory>();
    }

    private sealed class BlockPools(TimeProvider time) : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new BlockPool(time);
    }

    // The transport takes a pool from nowhere but the services that it is registered with, and registers itself with web hosts only.
    private sealed class SocketServices(IServiceCollection services) : IWebHostBuilder
    {
        public IWebHostBuilder ConfigureServices(Action<IServiceCollection> configureServices)
        {
            configureServices(services);
            return this;
        }

        public IWebHostBuilder ConfigureServices(Action<WebHostBuilderContext, IServiceCollection> configureServices) =>
            throw Unused();

        public IWebHostBuilder ConfigureAppConfiguration(Action<WebHostBuilderContext, IConfigurationBuilder> configureDelegate) =>
            throw Unused();

#pragma warning disable ASPDEPR008 // The interface has it.
        public IWebHost Build() => throw Unused();
#pragma warning restore ASPDEPR008

        public string? GetSetting(string key) => throw Unused();

        public IWebHostBuilder UseSetting(string key, string? value) => throw Unused();

        private static NotSupportedException Unused() => new("only the socket transport is registered here");
    }
}
