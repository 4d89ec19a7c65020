using System.Text;
using System.Text.Json;
using GrayMQ.Settings;

namespace GrayMQ.Cli.Servers;

/// <summary>Tells what came of the settings: their errors, or all of their values.</summary>
internal static class SettingsReport
{
    /// <summary>Every error at once, so that a configuration is put right in one go.</summary>
    public static int Refuse(CommandContext context, params IEnumerable<SettingsLoad> loads)
    {
        SettingProblem[] errors = [.. loads.SelectMany(load => load.Errors).Distinct()];
        foreach (SettingProblem error in errors)
        {
            context.WriteError(error.ToString());
        }

        return ExitCode.Usage;
    }

    /// <summary>--print-config of one server or of several.</summary>
    public static int Print(CommandContext context, bool json, params EffectiveSettings[] servers)
    {
        if (json)
        {
            context.WriteLine(servers is [var only] ? Json(only) : JsonOfAll(servers));
            return ExitCode.Success;
        }

        for (int i = 0; i < servers.Length; i++)
        {
            if (servers.Length > 1)
            {
                context.Output.WriteLine($"{(i == 0 ? "" : "\n")}# {servers[i].Server}");
            }

            servers[i].WriteTable(context.Output);
        }

        context.Output.Flush();
        return ExitCode.Success;
    }

    private static string Json(EffectiveSettings settings)
    {
        using var stream = new MemoryStream();
        settings.WriteJson(stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string JsonOfAll(EffectiveSettings[] servers)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartArray("servers");
            foreach (EffectiveSettings settings in servers)
            {
                json.WriteRawValue(Json(settings));
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
