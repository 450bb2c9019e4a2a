namespace Gateway.Passthrough;

internal static class PassthroughSetup
{
    public static IServiceCollection AddPassthrough(this IServiceCollection services)
    {
        services.AddHttpForwarder();
        services.AddSingleton<Forwarding>();
        // It logs exceptions with their text; how a request ended stands in the request's own line.
        services.AddLogging(logging => logging.AddFilter("Yarp.ReverseProxy.Forwarder", LogLevel.None));
        return services;
    }
}
