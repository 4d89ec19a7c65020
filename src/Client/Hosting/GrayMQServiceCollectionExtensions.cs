using GrayMQ.Client;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Client.Hosting;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Producers.Transactions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds producers and consumers to an application's services.</summary>
public static class GrayMQServiceCollectionExtensions
{
    /// <summary>
    /// Adds an <see cref="IProducer"/> that lives as long as the application. Its settings are checked when the application starts.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options; several calls add up.</param>
    public static IServiceCollection AddGrayMQProducer(this IServiceCollection services, Action<ProducerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        AddOptions<ProducerOptions>(services, Options.Options.DefaultName).Configure(configure);
        AddProducer(services);
        return services;
    }

    /// <inheritdoc cref="AddGrayMQProducer(IServiceCollection, Action{ProducerOptions})"/>
    /// <param name="configuration">Holds values under the options' names.</param>
    public static IServiceCollection AddGrayMQProducer(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        AddOptions<ProducerOptions>(services, Options.Options.DefaultName).Bind(configuration);
        AddProducer(services);
        return services;
    }

    /// <summary>
    /// Adds a push consumer that runs while the application does. Each message is handled by a <typeparamref name="THandler"/> of a scope
    /// of its own; register the handler yourself to give it another lifetime. Call again with other handlers for other groups.
    /// </summary>
    /// <typeparam name="THandler">Handles the messages; one handler type serves one consumer.</typeparam>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options: at least the group and what to subscribe to.</param>
    public static IServiceCollection AddGrayMQConsumer<THandler>(
        this IServiceCollection services, Action<PushConsumerOptions> configure)
        where THandler : class, IMessageHandler
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        AddOptions<PushConsumerOptions>(services, NameOf<THandler>()).Configure(configure);
        AddConsumer<THandler>(services);
        return services;
    }

    /// <inheritdoc cref="AddGrayMQConsumer{THandler}(IServiceCollection, Action{PushConsumerOptions})"/>
    /// <param name="configuration">Holds values under the options' names, for instance <c>Subscriptions:orders</c>.</param>
    public static IServiceCollection AddGrayMQConsumer<THandler>(
        this IServiceCollection services, IConfiguration configuration)
        where THandler : class, IMessageHandler
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        AddOptions<PushConsumerOptions>(services, NameOf<THandler>()).Bind(configuration);
        AddConsumer<THandler>(services);
        return services;
    }

    /// <summary>
    /// Adds a push consumer that pops, and runs while the application does; otherwise as
    /// <see cref="AddGrayMQConsumer{THandler}(IServiceCollection, Action{PushConsumerOptions})"/>.
    /// </summary>
    /// <typeparam name="THandler">Handles the messages; one handler type serves one consumer.</typeparam>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options: at least the group and what to subscribe to.</param>
    public static IServiceCollection AddGrayMQPopConsumer<THandler>(
        this IServiceCollection services, Action<PopPushConsumerOptions> configure)
        where THandler : class, IMessageHandler
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        AddOptions<PopPushConsumerOptions>(services, NameOf<THandler>()).Configure(configure);
        AddPopConsumer<THandler>(services);
        return services;
    }

    /// <inheritdoc cref="AddGrayMQPopConsumer{THandler}(IServiceCollection, Action{PopPushConsumerOptions})"/>
    /// <param name="configuration">Holds values under the options' names, for instance <c>Subscriptions:orders</c>.</param>
    public static IServiceCollection AddGrayMQPopConsumer<THandler>(
        this IServiceCollection services, IConfiguration configuration)
        where THandler : class, IMessageHandler
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        AddOptions<PopPushConsumerOptions>(services, NameOf<THandler>()).Bind(configuration);
        AddPopConsumer<THandler>(services);
        return services;
    }

    /// <summary>
    /// Adds an <see cref="ITransactionalProducer"/> that lives as long as the application and is known to the brokers of its topics from
    /// the start on. Each check is answered by a <typeparamref name="TChecker"/> of a scope of its own.
    /// </summary>
    /// <typeparam name="TChecker">Tells how transactions ended.</typeparam>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options: at least the group, which no other kind of producer shares.</param>
    /// <param name="topics">The topics that it sends to.</param>
    public static IServiceCollection AddGrayMQTransactionalProducer<TChecker>(
        this IServiceCollection services, Action<ProducerOptions> configure, params string[] topics)
        where TChecker : class, ITransactionChecker
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        AddOptions<ProducerOptions>(services, NameOf<TChecker>()).Configure(configure);
        AddTransactionalProducer<TChecker>(services, topics);
        return services;
    }

    /// <inheritdoc cref="AddGrayMQTransactionalProducer{TChecker}(IServiceCollection, Action{ProducerOptions}, string[])"/>
    /// <param name="configuration">Holds values under the options' names.</param>
    public static IServiceCollection AddGrayMQTransactionalProducer<TChecker>(
        this IServiceCollection services, IConfiguration configuration, params string[] topics)
        where TChecker : class, ITransactionChecker
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        AddOptions<ProducerOptions>(services, NameOf<TChecker>()).Bind(configuration);
        AddTransactionalProducer<TChecker>(services, topics);
        return services;
    }

    private static string NameOf<THandler>() => typeof(THandler).FullName ?? typeof(THandler).Name;

    private static OptionsBuilder<TOptions> AddOptions<TOptions>(IServiceCollection services, string name)
        where TOptions : ClientOptions
    {
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<TOptions>, ClientOptionsValidation<TOptions>>());
        return services.AddOptions<TOptions>(name).ValidateOnStart();
    }

    private static void AddProducer(IServiceCollection services) => services.TryAddSingleton<IProducer>(provider =>
    {
        var monitor = provider.GetRequiredService<IOptionsMonitor<ProducerOptions>>();
        var producer = new Producer(monitor.CurrentValue, provider.GetService<ILoggerFactory>(), provider.GetService<TimeProvider>());
        producer.OptionsSubscription = GrayOptions.Follow(monitor, Options.Options.DefaultName, producer.SetGray);
        return producer;
    });

    private static void AddConsumer<THandler>(IServiceCollection services)
        where THandler : class, IMessageHandler
    {
        services.TryAddScoped<THandler>();

        // TryAddEnumerable tells services apart by their types: a handler type has one consumer.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ConsumerService<THandler>>(
            provider => new ConsumerService<THandler>(
                provider.GetRequiredService<IOptionsMonitor<PushConsumerOptions>>(),
                NameOf<THandler>(),
                provider.GetRequiredService<IServiceScopeFactory>(),
                provider.GetService<ILoggerFactory>(),
                provider.GetService<TimeProvider>())));
    }

    private static void AddPopConsumer<THandler>(IServiceCollection services)
        where THandler : class, IMessageHandler
    {
        services.TryAddScoped<THandler>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PopConsumerService<THandler>>(
            provider => new PopConsumerService<THandler>(
                provider.GetRequiredService<IOptionsMonitor<PopPushConsumerOptions>>(),
                NameOf<THandler>(),
                provider.GetRequiredService<IServiceScopeFactory>(),
                provider.GetService<ILoggerFactory>(),
                provider.GetService<TimeProvider>())));
    }

    private static void AddTransactionalProducer<TChecker>(IServiceCollection services, string[] topics)
        where TChecker : class, ITransactionChecker
    {
        services.TryAddScoped<TChecker>();
        services.TryAddSingleton(provider => new TransactionalProducer(
            provider.GetRequiredService<IOptionsMonitor<ProducerOptions>>().Get(NameOf<TChecker>()),
            new ScopedChecker<TChecker>(provider.GetRequiredService<IServiceScopeFactory>()),
            provider.GetService<ILoggerFactory>(),
            provider.GetService<TimeProvider>()));
        services.TryAddSingleton<ITransactionalProducer>(provider => provider.GetRequiredService<TransactionalProducer>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TransactionalProducerService>(
            provider => new TransactionalProducerService(provider.GetRequiredService<TransactionalProducer>(), topics)));
    }
}
