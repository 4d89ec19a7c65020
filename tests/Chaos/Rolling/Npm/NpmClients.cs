using GrayMQ.Testing;

namespace GrayMQ.Chaos.Rolling.Npm;

/// <summary>The clients of npm packages that the compatibility tests drive, installed for one run.</summary>
internal sealed class NpmClients : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("graymq-npm-").FullName;

    private NpmClients()
    {
    }

    /// <summary>The script that drives ali-ons; null where it takes no part.</summary>
    public string? AliOnsScript { get; private set; }

    /// <summary>The script that drives rocketmq-client-nodejs; null where it takes no part.</summary>
    public string? GrpcScript { get; private set; }

    public static async Task<NpmClients> InstallAsync(bool aliOns, bool grpc)
    {
        var clients = new NpmClients();
        try
        {
            clients.AliOnsScript = aliOns ? await clients.InstallAsync("AliOns") : null;
            clients.GrpcScript = grpc ? await clients.InstallAsync("RocketMqNode") : null;
            return clients;
        }
        catch
        {
            clients.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> InstallAsync(string name)
    {
        string target = Path.Combine(_folder, name);
        Directory.CreateDirectory(target);
        await NpmInstall.RunAsync(Path.Combine(AppContext.BaseDirectory, name), target);
        return Path.Combine(target, "client.js");
    }
}
